#include "export/onnx/blocks.h"

#include "export/onnx/operators.h"

namespace kobolt::onnx {

Value residual(const Layers& layers, const std::string& norm, const Value& x,
               const std::function<Value(const Value&)>& f) {
  Graph& graph = layers.graph();
  const bool before = layers.config().pre_norm;
  const Value y = f(before ? layers.norm(norm, x) : x);
  // Sums of many layers may leave fp16's range, so they never enter it.
  const Value sum = add(graph, x, cast(graph, y, ElementType::f32));
  return before ? sum : layers.norm(norm, sum);
}

Value feed_forward(const Layers& layers, const std::string& layer, const Value& x) {
  return residual(layers, layer + ".final_layer_norm", x, [&](const Value& in) {
    const Value hidden = layers.linear(layer + ".fc1", in);
    return layers.linear(layer + ".fc2",
                         activate(layers.graph(), hidden, layers.config().activation));
  });
}

Value finished(const Layers& layers, const std::string& side, const Value& x) {
  return layers.config().final_norm ? layers.norm(side + ".layer_norm", x) : x;
}

}  // namespace kobolt::onnx
