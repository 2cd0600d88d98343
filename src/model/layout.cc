#include "model/layout.h"

#include <utility>

namespace kobolt {
namespace {

class LayoutBuilder {
 public:
  explicit LayoutBuilder(const ModelConfig& config) : config_(config), d_(config.d_model) {}

  std::vector<TensorSpec> build() && {
    embeddings();
    stack("encoder", ModelPart::encoder, config_.encoder_layers);
    stack("decoder", ModelPart::decoder, config_.decoder_layers);
    if (!config_.tied_output) add("lm_head.weight", {config_.vocab_size, d_}, ModelPart::output);
    add("final_logits_bias", {1, config_.vocab_size}, ModelPart::output, false);
    return std::move(specs_);
  }

 private:
  void embeddings() {
    if (config_.shared_embedding) {
      add("model.shared.weight", {config_.vocab_size, d_}, ModelPart::embeddings);
    } else {
      add("model.encoder.embed_tokens.weight", {config_.encoder_vocab_size, d_},
          ModelPart::embeddings);
      add("model.decoder.embed_tokens.weight", {config_.vocab_size, d_}, ModelPart::embeddings);
    }
    const bool learned = config_.positions == Positions::learned_offset2;
    const std::int64_t rows = config_.max_positions + (learned ? 2 : 0);
    for (const char* side : {"model.encoder.", "model.decoder."}) {
      add(side + std::string("embed_positions.weight"), {rows, d_}, ModelPart::embeddings, learned);
    }
  }

  void stack(const std::string& side, ModelPart part, const std::vector<LayerConfig>& layers) {
    const std::string prefix = "model." + side + ".";
    if (config_.embedding_norm) norm(prefix + "layernorm_embedding", part);
    for (std::size_t i = 0; i < layers.size(); ++i) {
      layer(prefix + "layers." + std::to_string(i) + ".", part, layers[i]);
    }
    if (config_.final_norm) norm(prefix + "layer_norm", part);
  }

  void layer(const std::string& prefix, ModelPart part, const LayerConfig& shape) {
    attention(prefix + "self_attn", part, shape.self_heads * shape.head_dim);
    if (part == ModelPart::decoder) {
      attention(prefix + "encoder_attn", part, shape.cross_heads * shape.head_dim);
    }
    linear(prefix + "fc1", part, shape.ffn, d_);
    linear(prefix + "fc2", part, d_, shape.ffn);
    norm(prefix + "final_layer_norm", part);
  }

  void attention(const std::string& name, ModelPart part, std::int64_t width) {
    for (const char* projection : {".q_proj", ".k_proj", ".v_proj"}) {
      linear(name + projection, part, width, d_);
    }
    linear(name + ".out_proj", part, d_, width);
    norm(name + "_layer_norm", part);
  }

  void linear(const std::string& name, ModelPart part, std::int64_t out, std::int64_t in) {
    add(name + ".weight", {out, in}, part);
    add(name + ".bias", {out}, part);
  }

  void norm(const std::string& name, ModelPart part) {
    add(name + ".weight", {d_}, part);
    add(name + ".bias", {d_}, part);
  }

  void add(std::string name, std::vector<std::int64_t> shape, ModelPart part,
           bool required = true) {
    specs_.push_back({std::move(name), std::move(shape), part, required});
  }

  const ModelConfig& config_;
  std::int64_t d_;
  std::vector<TensorSpec> specs_;
};

}  // namespace

std::vector<TensorSpec> expected_tensors(const ModelConfig& config) {
  return LayoutBuilder(config).build();
}

}  // namespace kobolt
