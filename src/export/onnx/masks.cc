#include "export/onnx/masks.h"

#include <limits>

#include "export/onnx/operators.h"

namespace kobolt::onnx {
namespace {

Value additive(Graph& graph, const Value& allowed) {
  const Value least = graph.scalar(std::numeric_limits<float>::lowest());
  return graph.node("Where", {allowed, graph.scalar(0.0F), least}, ElementType::f32);
}

}  // namespace

Value padding_mask(Graph& graph, const Value& present) {
  const Graph::Scope scope(graph, "padding_mask");
  return additive(graph, unsqueeze(graph, cast(graph, present, ElementType::boolean), {1, 2}));
}

Value causal_mask(Graph& graph, const Value& queries, const Value& keys) {
  const Graph::Scope scope(graph, "causal_mask");
  return additive(
      graph, graph.node("LessOrEqual",
                        {unsqueeze(graph, keys, {0, 1, 2}), unsqueeze(graph, queries, {0, 1, 3})},
                        ElementType::boolean));
}

}  // namespace kobolt::onnx
