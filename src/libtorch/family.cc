#include "libtorch/family.h"

#include <torch/version.h>

#include <cmath>

namespace kobolt {
namespace {

at::Tensor linear(const TorchLinear& layer, const at::Tensor& x) {
  return at::linear(x, layer.weight, layer.bias);
}

at::Tensor activate(Activation activation, const at::Tensor& x) {
  switch (activation) {
    case Activation::none:
      return x;
    case Activation::gelu:
      return at::gelu(x, "none");
    case Activation::gelu_new:
      return at::gelu(x, "tanh");
    case Activation::relu:
      return at::relu(x);
    case Activation::silu:
      return at::silu(x);
    case Activation::tanh:
      return at::tanh(x);
  }
  return x;
}

/// [rows, length, heads * head_dim] as [rows, heads, length, head_dim].
at::Tensor split_heads(const TorchAttention& layer, const at::Tensor& x) {
  return x.unflatten(-1, {layer.heads, layer.head_dim}).transpose(1, 2);
}

/// `mask` [rows, 1, 1, keys] is true where a query may look; undefined: everywhere.
at::Tensor attend(const at::Tensor& queries, const at::Tensor& keys, const at::Tensor& values,
                  const at::Tensor& mask, std::int64_t head_dim) {
#if TORCH_VERSION_MAJOR >= 2
  (void)head_dim;  // its square root is what scaled_dot_product_attention divides by
  const auto chosen = mask.defined() ? c10::optional<at::Tensor>(mask) : c10::nullopt;
  return at::scaled_dot_product_attention(queries, keys, values, chosen);
#else
  const double scale = 1 / std::sqrt(static_cast<double>(head_dim));
  at::Tensor scores = at::matmul(queries * scale, keys.transpose(-1, -2));
  if (mask.defined()) scores = scores.masked_fill(mask.logical_not(), -INFINITY);
  return at::matmul(at::softmax(scores, -1), values);
#endif
}

at::Tensor attention(const TorchAttention& layer, const at::Tensor& x, const at::Tensor& keys,
                     const at::Tensor& values, const at::Tensor& mask) {
  const at::Tensor queries = split_heads(layer, linear(layer.query, x));
  const at::Tensor context = attend(queries, keys, values, mask, layer.head_dim);
  return linear(layer.out, context.transpose(1, 2).flatten(2));
}

at::Tensor looking_mask(const at::Tensor& mask) {
  return mask.to(at::kBool).unsqueeze(1).unsqueeze(1);
}

}  // namespace

at::Tensor TorchFamily::embed(const TorchSide& side, const at::Tensor& ids,
                              const at::Tensor& positions) const {
  const ModelConfig& config = weights_.config;
  at::Tensor x = at::embedding(side.embedding, ids);
  if (config.scale_embedding) x = x * std::sqrt(static_cast<double>(config.d_model));
  x = x + at::embedding(side.positions, positions);
  return config.embedding_norm ? norm(side.embedding_norm, x) : x;
}

at::Tensor TorchFamily::norm(const TorchNorm& norm, const at::Tensor& x) const {
  return at::layer_norm(x, {weights_.config.d_model}, norm.weight, norm.bias,
                        static_cast<double>(weights_.config.layer_norm_epsilon));
}

template <typename Block>
at::Tensor TorchFamily::residual(const TorchNorm& norm_weights, const at::Tensor& x,
                                 Block f) const {
  if (weights_.config.pre_norm) return x + f(norm(norm_weights, x));
  return norm(norm_weights, x + f(x));
}

at::Tensor TorchFamily::feed_forward(const TorchLayer& layer, const at::Tensor& x) const {
  return linear(layer.fc2, activate(weights_.config.activation, linear(layer.fc1, x)));
}

at::Tensor TorchFamily::encode(const at::Tensor& ids, const at::Tensor& mask) {
  const TorchSide& side = weights_.encoder;
  at::Tensor x = embed(side, ids, (mask.cumsum(1) - 1).clamp_min(0));
  const at::Tensor looking = looking_mask(mask);
  for (const TorchLayer& layer : side.layers) {
    x = residual(layer.self_norm, x, [&](const at::Tensor& y) {
      return attention(layer.self, y, split_heads(layer.self, linear(layer.self.key, y)),
                       split_heads(layer.self, linear(layer.self.value, y)), looking);
    });
    x = residual(layer.ffn_norm, x, [&](const at::Tensor& y) { return feed_forward(layer, y); });
  }
  return weights_.config.final_norm ? norm(side.final_norm, x) : x;
}

TorchStep TorchFamily::first(const at::Tensor& tokens, const at::Tensor& hidden,
                             const at::Tensor& mask, TorchCache& cross) {
  cross.clear();
  for (const TorchLayer& layer : weights_.decoder.layers) {
    if (layer.cross.heads == 0) continue;
    cross.push_back(split_heads(layer.cross, linear(layer.cross.key, hidden)));
    cross.push_back(split_heads(layer.cross, linear(layer.cross.value, hidden)));
  }
  return decode(tokens, at::zeros({1}, at::kLong), mask, {}, cross);
}

TorchStep TorchFamily::next(const at::Tensor& tokens, const at::Tensor& position,
                            const at::Tensor& mask, const TorchCache& self,
                            const TorchCache& cross) {
  return decode(tokens, position, mask, self, cross);
}

TorchStep TorchFamily::decode(const at::Tensor& tokens, const at::Tensor& position,
                              const at::Tensor& mask, const TorchCache& self,
                              const TorchCache& cross) const {
  const TorchSide& side = weights_.decoder;
  at::Tensor x = embed(side, tokens.unsqueeze(1), position);
  const at::Tensor looking = looking_mask(mask);
  TorchStep step;
  std::size_t at_cross = 0;
  for (const TorchLayer& layer : side.layers) {
    x = residual(layer.self_norm, x, [&](const at::Tensor& y) {
      at::Tensor keys = split_heads(layer.self, linear(layer.self.key, y));
      at::Tensor values = split_heads(layer.self, linear(layer.self.value, y));
      if (!self.empty()) {
        keys = at::cat({self[step.self.size()], keys}, 2);
        values = at::cat({self[step.self.size() + 1], values}, 2);
      }
      step.self.push_back(keys);
      step.self.push_back(values);
      return attention(layer.self, y, keys, values, {});
    });
    if (layer.cross.heads > 0) {
      const at::Tensor& keys = cross[at_cross++];
      const at::Tensor& values = cross[at_cross++];
      x = residual(layer.cross_norm, x, [&](const at::Tensor& y) {
        return attention(layer.cross, y, keys, values, looking);
      });
    }
    x = residual(layer.ffn_norm, x, [&](const at::Tensor& y) { return feed_forward(layer, y); });
  }
  if (weights_.config.final_norm) x = norm(side.final_norm, x);
  step.logits = linear(weights_.output, x.squeeze(1));
  return step;
}

}  // namespace kobolt
