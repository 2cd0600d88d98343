#include "gradient/stack.h"

#include <cstddef>

namespace kobolt {
namespace {

AttentionBlock attention_block(const std::string& name, const Attention::Shape& shape,
                               Parameters& parameters) {
  return {.q = parameters.linear(name + ".q_proj"),
          .k = parameters.linear(name + ".k_proj"),
          .v = parameters.linear(name + ".v_proj"),
          .out = parameters.linear(name + ".out_proj"),
          .norm = parameters.norm(name + "_layer_norm"),
          .shape = shape};
}

}  // namespace

Stack::Stack(const ModelConfig& config, const std::string& side, Parameters& parameters)
    : embedding_(config, side, parameters) {
  const bool decoder = side == "decoder";
  const std::string prefix = "model." + side + ".";
  const auto& shapes = decoder ? config.decoder_layers : config.encoder_layers;
  for (std::size_t i = 0; i < shapes.size(); ++i) {
    const LayerConfig& shape = shapes[i];
    const std::string name = prefix + "layers." + std::to_string(i) + ".";
    Layer& layer = layers_.emplace_back();
    layer.self = attention_block(
        name + "self_attn",
        {.heads = shape.self_heads, .head_dim = shape.head_dim, .causal = decoder}, parameters);
    if (shape.cross_heads > 0) {
      layer.cross =
          attention_block(name + "encoder_attn",
                          {.heads = shape.cross_heads, .head_dim = shape.head_dim}, parameters);
    }
    layer.ffn = {.fc1 = parameters.linear(name + "fc1"),
                 .fc2 = parameters.linear(name + "fc2"),
                 .norm = parameters.norm(name + "final_layer_norm")};
  }
  if (config.final_norm) final_norm_ = parameters.norm(prefix + "layer_norm");
}

Matrix Stack::forward(std::span<const TokenEmbedding::Token> tokens, const Context& context,
                      Blocks& blocks, Tape& tape) const {
  Matrix x = embedding_.forward(tokens, blocks, tape.embedding);
  tape.layers.resize(layers_.size());
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    const Layer& layer = layers_[i];
    LayerTape& kept = tape.layers[i];
    blocks.attention(layer.self, {context.starts, context.starts}, nullptr, x, kept.self);
    if (layer.cross) {
      blocks.attention(*layer.cross, {context.starts, context.memory_starts}, context.memory, x,
                       kept.cross);
    }
    blocks.feed_forward(layer.ffn, x, kept.ffn);
  }
  if (final_norm_) {
    tape.unnormalized = x;
    blocks.normalize(*final_norm_, x);
  }
  return x;
}

void Stack::backward(const Context& context, const Tape& tape, Blocks& blocks, Matrix& dx,
                     Matrix* dmemory) const {
  if (final_norm_) blocks.normalize_backward(*final_norm_, tape.unnormalized, dx);
  for (std::size_t i = layers_.size(); i-- > 0;) {
    const Layer& layer = layers_[i];
    const LayerTape& kept = tape.layers[i];
    blocks.feed_forward_backward(layer.ffn, kept.ffn, dx);
    if (layer.cross) {
      blocks.attention_backward(*layer.cross, {context.starts, context.memory_starts},
                                context.memory, kept.cross, dx, dmemory);
    }
    blocks.attention_backward(layer.self, {context.starts, context.starts}, nullptr, kept.self, dx,
                              nullptr);
  }
  embedding_.backward(tape.embedding, blocks, dx);
}

}  // namespace kobolt
