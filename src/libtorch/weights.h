#pragma once

#include <ATen/ATen.h>

#include <string>
#include <vector>

#include "kobolt/model.h"

namespace kobolt {

struct TorchLinear {
  at::Tensor weight;  ///< [out, in]
  at::Tensor bias;    ///< [out]
};

struct TorchNorm {
  at::Tensor weight;
  at::Tensor bias;
};

struct TorchAttention {
  TorchLinear query, key, value, out;
  std::int64_t heads = 0;
  std::int64_t head_dim = 0;
};

struct TorchLayer {
  TorchAttention self;
  TorchNorm self_norm;
  TorchAttention cross;  ///< decoder only
  TorchNorm cross_norm;  ///< decoder only
  TorchLinear fc1, fc2;
  TorchNorm ffn_norm;
};

struct TorchSide {
  at::Tensor embedding;  ///< [vocabulary, d_model]
  at::Tensor positions;  ///< [max_positions, d_model], whatever offset the checkpoint has
  TorchNorm embedding_norm;
  TorchNorm final_norm;
  std::vector<TorchLayer> layers;
};

/// A model's weights as LibTorch's tensors in float32, masks applied.
struct TorchWeights {
  /// Throws Error(not_found) naming a tensor that is missing.
  explicit TorchWeights(const Model& model);

  ModelConfig config;
  TorchSide encoder;
  TorchSide decoder;
  TorchLinear output;  ///< of the vocabulary's logits

  [[nodiscard]] std::uint64_t bytes() const { return bytes_; }

 private:
  at::Tensor tensor(const Model& model, const std::string& name);
  TorchLinear linear(const Model& model, const std::string& module);
  TorchNorm norm(const Model& model, const std::string& module);
  TorchAttention attention(const Model& model, const std::string& module, int heads, int head_dim);
  TorchSide side(const Model& model, const std::string& name,
                 const std::vector<LayerConfig>& layers, const at::Tensor& embedding);
  at::Tensor positions(const Model& model, const std::string& side);

  std::uint64_t bytes_ = 0;
};

}  // namespace kobolt
