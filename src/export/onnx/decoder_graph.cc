#include <fmt/format.h>

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "export/onnx/attention.h"
#include "export/onnx/blocks.h"
#include "export/onnx/graphs.h"
#include "export/onnx/masks.h"
#include "export/onnx/operators.h"

namespace kobolt::onnx {
namespace {

/// Which keys and values: of the summary's tokens or of the document's.
enum class Side : std::uint8_t { decoder, encoder };

class DecoderGraph {
 public:
  DecoderGraph(const GraphPlan& plan, DecoderStep step, Graph& graph)
      : plan_(plan),
        config_(plan.model.config),
        graph_(graph),
        layers_(plan.model, plan.matrices, graph),
        first_(step == DecoderStep::first),
        fixed_(plan.fixed_cache && step == DecoderStep::later) {
    if (plan.fixed_cache) tokens_ = std::int64_t{1};
  }

  void build() {
    declare_inputs();
    const Value start = graph_.scalar(std::int64_t{0});
    const Value cached = first_ ? start : size_of_dimension(graph_, past_.front().own.keys, 2);
    Value positions = position_;
    Value seen;
    if (fixed_) {
      seen = range(graph_, start, cached);
      newest_ = graph_.node("Equal", {unsqueeze(graph_, seen, {0, 1, 3}), position_},
                            ElementType::boolean);
    } else {
      const Value end = first_ ? size_of_dimension(graph_, ids_, 1)
                               : add(graph_, cached, size_of_dimension(graph_, ids_, 1));
      positions = range(graph_, cached, end);
      seen = first_ ? positions : range(graph_, start, end);
    }
    causal_ = causal_mask(graph_, positions, seen);
    padding_ = padding_mask(graph_, present_);

    Value x = layers_.embed("decoder", ids_, positions);
    for (std::size_t i = 0; i < config_.decoder_layers.size(); ++i) x = layer(i, x);
    const Value logits = layers_.logits(finished(layers_, "decoder", x));
    graph_.output(logits, "logits", {plan_.batch, tokens_, std::int64_t{config_.vocab_size}});
    for (std::size_t i = 0; i < config_.decoder_layers.size(); ++i) declare_outputs(i);
  }

 private:
  /// Keys and values of one layer.
  struct Cache {
    KeysAndValues own;
    KeysAndValues document;
  };

  static constexpr const char* kPastLength = "past_decoder_sequence_length";

  void declare_inputs() {
    ids_ = graph_.input("input_ids", ElementType::i64, {plan_.batch, tokens_});
    present_ =
        graph_.input("encoder_attention_mask", ElementType::i64, {plan_.batch, plan_.source});
    if (first_) {
      memory_ = graph_.input("encoder_hidden_states", ElementType::f32,
                             {plan_.batch, plan_.source, std::int64_t{config_.d_model}});
      return;
    }
    if (fixed_) position_ = graph_.input("cache_position", ElementType::i64, {std::int64_t{1}});
    for (std::size_t i = 0; i < config_.decoder_layers.size(); ++i) {
      const KeysAndValues own = past_input(i, Side::decoder);
      past_.push_back({.own = own, .document = past_input(i, Side::encoder)});
    }
  }

  [[nodiscard]] std::vector<Dimension> cache_shape(std::size_t i, Side side,
                                                   const Dimension& own_length) const {
    const LayerConfig& shape = config_.decoder_layers[i];
    const bool own = side == Side::decoder;
    return {plan_.batch, std::int64_t{own ? shape.self_heads : shape.cross_heads},
            own ? own_length : plan_.source, std::int64_t{shape.head_dim}};
  }

  static std::string cache_name(const char* when, std::size_t i, Side side) {
    return fmt::format("{}.{}.{}.", when, i, side == Side::decoder ? "decoder" : "encoder");
  }

  KeysAndValues past_input(std::size_t i, Side side) {
    const std::string name = cache_name("past_key_values", i, side);
    const auto shape = cache_shape(i, side, kPastLength);
    const ElementType type = plan_.matrices.attention_type();
    const Value keys = graph_.input(name + "key", type, shape);
    return {.keys = keys, .values = graph_.input(name + "value", type, shape)};
  }

  void present_output(std::size_t i, Side side, const KeysAndValues& cache) {
    const std::string name = cache_name("present", i, side);
    const char* length = fixed_ ? kPastLength : "total_decoder_sequence_length";
    const auto shape = cache_shape(i, side, first_ ? tokens_ : Dimension(length));
    graph_.output(cache.keys, name + "key", shape);
    graph_.output(cache.values, name + "value", shape);
  }

  void declare_outputs(std::size_t i) {
    present_output(i, Side::decoder, now_[i].own);
    // Those of the document stay the same: later steps leave them out, as optimum does.
    if (first_) present_output(i, Side::encoder, now_[i].document);
  }

  /// The cache with those of the newest tokens: behind it, or where it has a place for them.
  Value continued(const Value& past, const Value& newest) {
    if (!fixed_) return concat(graph_, past, newest, 2);
    return graph_.node("Where", {newest_, newest, past}, past.type);
  }

  Value layer(std::size_t i, const Value& input) {
    const LayerConfig& shape = config_.decoder_layers[i];
    const std::string name = fmt::format("decoder.layers.{}", i);
    const Graph::Scope scope(graph_, name);
    const ElementType type = plan_.matrices.attention_type();
    const AttentionNodes self(layers_, name + ".self_attn", shape.self_heads, shape.head_dim, type);
    const AttentionNodes cross(layers_, name + ".encoder_attn", shape.cross_heads, shape.head_dim,
                               type);
    Cache& now = now_.emplace_back();
    Value x = residual(layers_, name + ".self_attn_layer_norm", input, [&](const Value& in) {
      const Graph::Scope inner(graph_, "self_attn");
      now.own = self.project(in);
      if (!first_) {
        now.own = {.keys = continued(past_[i].own.keys, now.own.keys),
                   .values = continued(past_[i].own.values, now.own.values)};
      }
      return self.attend(in, now.own, causal_);
    });
    x = residual(layers_, name + ".encoder_attn_layer_norm", x, [&](const Value& in) {
      const Graph::Scope inner(graph_, "encoder_attn");
      now.document = first_ ? cross.project(memory_) : past_[i].document;
      return cross.attend(in, now.document, padding_);
    });
    return feed_forward(layers_, name, x);
  }

  const GraphPlan& plan_;
  const ModelConfig& config_;
  Graph& graph_;
  Layers layers_;
  bool first_;
  bool fixed_;  // the cache has the length of the whole summary from the beginning
  Dimension tokens_ = "decoder_sequence_length";
  Value ids_;
  Value present_;
  Value memory_;
  Value position_;  // of the newest token, where the cache's length does not tell
  Value newest_;    // [1, 1, cache, 1]: whether this is its place
  Value causal_;
  Value padding_;
  std::vector<Cache> past_;
  std::vector<Cache> now_;
};

}  // namespace

void add_decoder(const GraphPlan& plan, DecoderStep step, Graph& graph) {
  DecoderGraph(plan, step, graph).build();
}

}  // namespace kobolt::onnx
