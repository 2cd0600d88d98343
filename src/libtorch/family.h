#pragma once

#include <memory>

#include "libtorch/steps.h"
#include "libtorch/weights.h"

namespace kobolt {

/// The BART family in LibTorch, an operation at a time. Every size that may differ from call to
/// call stays inside of LibTorch, so that what is traced works for all of them.
class TorchFamily : public TorchSteps {
 public:
  explicit TorchFamily(const Model& model) : weights_(model) {}

  at::Tensor encode(const at::Tensor& ids, const at::Tensor& mask) override;
  TorchStep first(const at::Tensor& tokens, const at::Tensor& hidden, const at::Tensor& mask,
                  TorchCache& cross) override;
  TorchStep next(const at::Tensor& tokens, const at::Tensor& position, const at::Tensor& mask,
                 const TorchCache& self, const TorchCache& cross) override;

  [[nodiscard]] const TorchWeights& weights() const { return weights_; }

 private:
  [[nodiscard]] at::Tensor embed(const TorchSide& side, const at::Tensor& ids,
                                 const at::Tensor& positions) const;
  [[nodiscard]] at::Tensor norm(const TorchNorm& norm, const at::Tensor& x) const;
  /// x + f(x), with the norm before f (pre_norm) or after the sum.
  template <typename Block>
  at::Tensor residual(const TorchNorm& norm_weights, const at::Tensor& x, Block f) const;
  [[nodiscard]] at::Tensor feed_forward(const TorchLayer& layer, const at::Tensor& x) const;
  TorchStep decode(const at::Tensor& tokens, const at::Tensor& position, const at::Tensor& mask,
                   const TorchCache& self, const TorchCache& cross) const;

  TorchWeights weights_;
};

}  // namespace kobolt
