#include <fmt/format.h>

#include "export/onnx/attention.h"
#include "export/onnx/blocks.h"
#include "export/onnx/graphs.h"
#include "export/onnx/masks.h"
#include "export/onnx/operators.h"

namespace kobolt::onnx {

void add_encoder(const GraphPlan& plan, Graph& graph) {
  const ModelConfig& config = plan.model.config;
  const Layers layers(plan.model, plan.matrices, graph);
  const Value ids = graph.input("input_ids", ElementType::i64, {plan.batch, plan.source});
  const Value present = graph.input("attention_mask", ElementType::i64, {plan.batch, plan.source});

  const Value mask = padding_mask(graph, present);
  const Value positions =
      range(graph, graph.scalar(std::int64_t{0}), size_of_dimension(graph, ids, 1));
  Value x = layers.embed("encoder", ids, positions);
  for (std::size_t i = 0; i < config.encoder_layers.size(); ++i) {
    const LayerConfig& shape = config.encoder_layers[i];
    const std::string name = fmt::format("encoder.layers.{}", i);
    const Graph::Scope scope(graph, name);
    const AttentionNodes self(layers, name + ".self_attn", shape.self_heads, shape.head_dim,
                              plan.matrices.attention_type());
    x = residual(layers, name + ".self_attn_layer_norm", x, [&](const Value& in) {
      const Graph::Scope inner(graph, "self_attn");
      return self.attend(in, self.project(in), mask);
    });
    x = feed_forward(layers, name, x);
  }
  graph.output(finished(layers, "encoder", x), "last_hidden_state",
               {plan.batch, plan.source, std::int64_t{config.d_model}});
}

}  // namespace kobolt::onnx
