#include "runtime/weights.h"

#include <fmt/format.h>

#include <array>
#include <utility>

namespace kobolt {
namespace {

class Binder {
 public:
  explicit Binder(const EngineFile& file) : file_(file) {}

  [[nodiscard]] Linear matrix(const std::string& name, int n, int k) const {
    Linear linear;
    linear.quantized = file_.metadata().precision == Precision::int8;
    const std::array<std::int64_t, 2> shape = {n, k};
    if (linear.quantized) {
      const auto bytes = file_.tensor(name + ".weight", Layout::panels_i8, shape);
      linear.i8 = {.data = reinterpret_cast<const std::int8_t*>(bytes.data()),
                   .scales = vector(name + ".scales", kernels::padded(n)),
                   .n = n,
                   .k = k};
    } else {
      const auto bytes = file_.tensor(name + ".weight", Layout::panels_f32, shape);
      linear.f32 = {.data = reinterpret_cast<const float*>(bytes.data()), .n = n, .k = k};
    }
    return linear;
  }

  [[nodiscard]] Linear linear(const std::string& name, int n, int k) const {
    Linear result = matrix(name, n, k);
    result.bias = vector(name + ".bias", kernels::padded(n));
    return result;
  }

  [[nodiscard]] Norm norm(const std::string& name) const {
    const int d = file_.metadata().config.d_model;
    return {.gamma = vector(name + ".gamma", d), .beta = vector(name + ".beta", d)};
  }

  [[nodiscard]] PositionTable positions(const std::string& name) const {
    const ModelConfig& config = file_.metadata().config;
    const std::array<std::int64_t, 2> shape = {config.max_positions, config.d_model};
    PositionTable table;
    if (file_.metadata().precision == Precision::int8) {
      table.i8 =
          reinterpret_cast<const std::int8_t*>(file_.tensor(name, Layout::rows_i8, shape).data());
      table.scales = vector(name + ".scales", config.max_positions);
    } else {
      table.f32 =
          reinterpret_cast<const float*>(file_.tensor(name, Layout::rows_f32, shape).data());
    }
    return table;
  }

  [[nodiscard]] const float* vector(const std::string& name, int size) const {
    const std::array<std::int64_t, 1> shape = {size};
    return reinterpret_cast<const float*>(file_.tensor(name, Layout::rows_f32, shape).data());
  }

 private:
  const EngineFile& file_;
};

LayerWeights bind_layer(const Binder& binder, const ModelConfig& config, const LayerConfig& layer,
                        const std::string& name) {
  const int d = config.d_model;
  const int self = layer.self_heads * layer.head_dim;
  const int cross = layer.cross_heads * layer.head_dim;
  LayerWeights weights;
  weights.qkv = binder.linear(name + ".self_attn.qkv", 3 * self, d);
  weights.self_out = binder.linear(name + ".self_attn.out", d, self);
  weights.self_norm = binder.norm(name + ".self_attn_norm");
  if (cross > 0) {
    weights.cross_q = binder.linear(name + ".cross_attn.q", cross, d);
    weights.cross_kv = binder.linear(name + ".cross_attn.kv", 2 * cross, d);
    weights.cross_out = binder.linear(name + ".cross_attn.out", d, cross);
    weights.cross_norm = binder.norm(name + ".cross_attn_norm");
  }
  weights.fc1 = binder.linear(name + ".fc1", layer.ffn, d);
  weights.fc2 = binder.linear(name + ".fc2", d, layer.ffn);
  weights.ffn_norm = binder.norm(name + ".ffn_norm");
  return weights;
}

SideWeights bind_side(const Binder& binder, const ModelConfig& config,
                      const std::vector<LayerConfig>& layers, const std::string& side,
                      int vocabulary) {
  SideWeights weights;
  weights.embedding = binder.matrix(config.shared_embedding ? "embedding" : side + ".embedding",
                                    vocabulary, config.d_model);
  weights.positions = binder.positions(side + ".positions");
  if (config.embedding_norm) weights.embedding_norm = binder.norm(side + ".embedding_norm");
  if (config.final_norm) weights.final_norm = binder.norm(side + ".final_norm");
  for (std::size_t i = 0; i < layers.size(); ++i) {
    weights.layers.push_back(
        bind_layer(binder, config, layers[i], fmt::format("{}.layers.{}", side, i)));
  }
  return weights;
}

}  // namespace

EngineWeights EngineWeights::bind(std::shared_ptr<const EngineFile> file) {
  const Binder binder(*file);
  const ModelConfig& config = file->metadata().config;
  EngineWeights weights;
  weights.encoder =
      bind_side(binder, config, config.encoder_layers, "encoder",
                config.shared_embedding ? config.vocab_size : config.encoder_vocab_size);
  weights.decoder = bind_side(binder, config, config.decoder_layers, "decoder", config.vocab_size);
  weights.lm_head = config.tied_output
                        ? weights.decoder.embedding
                        : binder.matrix("lm_head", config.vocab_size, config.d_model);
  weights.lm_head.bias = binder.vector("logits_bias", kernels::padded(config.vocab_size));
  weights.file = std::move(file);
  return weights;
}

}  // namespace kobolt
