#include "libtorch/weights.h"

#include <cstring>

#include "model/positions.h"

namespace kobolt {
namespace {

at::Tensor copied(const std::vector<float>& values, at::IntArrayRef shape) {
  at::Tensor tensor = at::empty(shape, at::kFloat);
  std::memcpy(tensor.data_ptr<float>(), values.data(), values.size() * sizeof(float));
  return tensor;
}

}  // namespace

TorchWeights::TorchWeights(const Model& model) : config(model.config) {
  const bool shared = config.shared_embedding;
  const at::Tensor embedding =
      tensor(model, shared ? "model.shared.weight" : "model.decoder.embed_tokens.weight");
  encoder = side(model, "encoder", config.encoder_layers,
                 shared ? embedding : tensor(model, "model.encoder.embed_tokens.weight"));
  decoder = side(model, "decoder", config.decoder_layers, embedding);
  output.weight = config.tied_output ? embedding : tensor(model, "lm_head.weight");
  output.bias = model.tensors.contains("final_logits_bias")
                    ? tensor(model, "final_logits_bias").reshape({-1})
                    : at::zeros({config.vocab_size}, at::kFloat);
}

at::Tensor TorchWeights::tensor(const Model& model, const std::string& name) {
  const Tensor source = model.effective_tensor(name);
  at::Tensor result = copied(source.to_f32(), source.shape);
  bytes_ += result.nbytes();
  return result;
}

TorchLinear TorchWeights::linear(const Model& model, const std::string& module) {
  return {.weight = tensor(model, module + ".weight"), .bias = tensor(model, module + ".bias")};
}

TorchNorm TorchWeights::norm(const Model& model, const std::string& module) {
  return {.weight = tensor(model, module + ".weight"), .bias = tensor(model, module + ".bias")};
}

TorchAttention TorchWeights::attention(const Model& model, const std::string& module, int heads,
                                       int head_dim) {
  return {.query = linear(model, module + ".q_proj"),
          .key = linear(model, module + ".k_proj"),
          .value = linear(model, module + ".v_proj"),
          .out = linear(model, module + ".out_proj"),
          .heads = heads,
          .head_dim = head_dim};
}

at::Tensor TorchWeights::positions(const Model& model, const std::string& side) {
  const std::string name = "model." + side + ".embed_positions.weight";
  if (config.positions == Positions::learned_offset2) return tensor(model, name).slice(0, 2);
  if (model.tensors.contains(name)) return tensor(model, name);
  return copied(sinusoidal_positions(config.max_positions, config.d_model),
                {config.max_positions, config.d_model});
}

TorchSide TorchWeights::side(const Model& model, const std::string& name,
                             const std::vector<LayerConfig>& layers, const at::Tensor& embedding) {
  const std::string prefix = "model." + name;
  TorchSide side{.embedding = embedding, .positions = positions(model, name)};
  if (config.embedding_norm) side.embedding_norm = norm(model, prefix + ".layernorm_embedding");
  if (config.final_norm) side.final_norm = norm(model, prefix + ".layer_norm");
  for (std::size_t i = 0; i < layers.size(); ++i) {
    const LayerConfig& shape = layers[i];
    const std::string module = prefix + ".layers." + std::to_string(i);
    TorchLayer& layer = side.layers.emplace_back();
    layer.self = attention(model, module + ".self_attn", shape.self_heads, shape.head_dim);
    layer.self_norm = norm(model, module + ".self_attn_layer_norm");
    if (shape.cross_heads > 0) {
      layer.cross = attention(model, module + ".encoder_attn", shape.cross_heads, shape.head_dim);
      layer.cross_norm = norm(model, module + ".encoder_attn_layer_norm");
    }
    layer.fc1 = linear(model, module + ".fc1");
    layer.fc2 = linear(model, module + ".fc2");
    layer.ffn_norm = norm(model, module + ".final_layer_norm");
  }
  return side;
}

}  // namespace kobolt
