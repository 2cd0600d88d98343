#pragma once

#include <ATen/ATen.h>

#include <vector>

namespace kobolt {

// B documents, S tokens of the longest, R rows (beams), t tokens of each row so far, V vocabulary.

/// Keys and values of all layers: key and value of layer 0, of layer 1, ...; each
/// [R, heads, length, head_dim].
using TorchCache = std::vector<at::Tensor>;

struct TorchStep {
  at::Tensor logits;  ///< [R, V]
  TorchCache self;    ///< the cache with the newest position
};

/// The three things that generation asks of a model, however LibTorch executes it.
class TorchSteps {
 public:
  TorchSteps() = default;
  TorchSteps(const TorchSteps&) = delete;
  TorchSteps& operator=(const TorchSteps&) = delete;
  virtual ~TorchSteps() = default;

  /// Hidden states [B, S, d_model] of ids [B, S]; mask [B, S] is 1 for tokens, 0 for padding, which
  /// comes last. Both int64.
  virtual at::Tensor encode(const at::Tensor& ids, const at::Tensor& mask) = 0;
  /// The step at position 0 for tokens [R], of rows with these hidden states [R, S, d_model]; fills
  /// `cross` with their keys and values.
  virtual TorchStep first(const at::Tensor& tokens, const at::Tensor& hidden,
                          const at::Tensor& mask, TorchCache& cross) = 0;
  /// The step at `position` [1] for tokens [R] with what the steps before have left.
  virtual TorchStep next(const at::Tensor& tokens, const at::Tensor& position,
                         const at::Tensor& mask, const TorchCache& self,
                         const TorchCache& cross) = 0;
};

}  // namespace kobolt
