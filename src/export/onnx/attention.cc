#include "export/onnx/attention.h"

#include <cmath>
#include <utility>

#include "export/onnx/operators.h"

namespace kobolt::onnx {

AttentionNodes::AttentionNodes(const Layers& layers, std::string module, int heads, int head_dim,
                               ElementType type)
    : layers_(layers),
      module_(std::move(module)),
      heads_(heads),
      head_dim_(head_dim),
      type_(type) {}

Value AttentionNodes::heads_apart(const Value& x) const {
  Graph& graph = layers_.graph();
  const Value split = reshape(graph, cast(graph, x, type_), {0, 0, heads_, head_dim_});
  return transpose(graph, split, {0, 2, 1, 3});
}

KeysAndValues AttentionNodes::project(const Value& x) const {
  return {.keys = heads_apart(layers_.linear(module_ + ".k_proj", x)),
          .values = heads_apart(layers_.linear(module_ + ".v_proj", x))};
}

Value AttentionNodes::attend(const Value& x, const KeysAndValues& memory, const Value& mask) const {
  Graph& graph = layers_.graph();
  const float scale = 1 / std::sqrt(static_cast<float>(head_dim_));
  const Value projected = layers_.linear(module_ + ".q_proj", x);
  const Value scaled = multiply(graph, projected, cast(graph, graph.scalar(scale), projected.type));
  const Value queries = heads_apart(scaled);
  const Value scores = matmul(graph, queries, transpose(graph, memory.keys, {0, 1, 3, 2}));
  const Value weights = softmax(graph, add(graph, cast(graph, scores, ElementType::f32), mask));
  const Value mixed = matmul(graph, cast(graph, weights, type_), memory.values);
  const Value together = reshape(graph, transpose(graph, mixed, {0, 2, 1, 3}),
                                 {0, 0, std::int64_t{heads_} * head_dim_});
  return layers_.linear(module_ + ".out_proj", together);
}

}  // namespace kobolt::onnx
