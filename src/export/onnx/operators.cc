#include "export/onnx/operators.h"

#include <cmath>
#include <numbers>

namespace kobolt::onnx {
namespace {

// The operator sets that brought them.
constexpr int kLayerNormalization = 17;
constexpr int kAxesAreAnInput = 18;  // of ReduceMean
constexpr int kGelu = 20;

constexpr std::int64_t kLast = -1;

Value subtract(Graph& graph, const Value& a, const Value& b) { return graph.node("Sub", {a, b}); }

/// A constant of the type that it will meet.
Value number(Graph& graph, float value, const Value& like) {
  return cast(graph, graph.scalar(value), like.type);
}

Value mean(Graph& graph, const Value& x) {
  if (graph.opset() >= kAxesAreAnInput) {
    return graph.node("ReduceMean", {x, graph.ints({kLast})});
  }
  return graph.node("ReduceMean", {x}, {{"axes", Ints{kLast}}});
}

Value gelu(Graph& graph, const Value& x) {
  if (graph.opset() >= kGelu) return graph.node("Gelu", {x});
  const float root = 1 / std::numbers::sqrt2_v<float>;
  const Value erf = graph.node("Erf", {multiply(graph, x, number(graph, root, x))});
  const Value half = multiply(graph, x, number(graph, 0.5F, x));
  return multiply(graph, half, add(graph, erf, number(graph, 1.0F, x)));
}

Value gelu_tanh(Graph& graph, const Value& x) {
  if (graph.opset() >= kGelu) {
    return graph.node("Gelu", {x}, {{"approximate", std::string("tanh")}});
  }
  // 0.5 x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3)))
  const Value square = multiply(graph, x, x);
  const Value bend =
      add(graph, multiply(graph, square, number(graph, 0.044715F, x)), number(graph, 1.0F, x));
  const float root = std::sqrt(2 * std::numbers::inv_pi_v<float>);
  const Value inner = multiply(graph, multiply(graph, x, number(graph, root, x)), bend);
  const Value half = multiply(graph, x, number(graph, 0.5F, x));
  return multiply(graph, half, add(graph, graph.node("Tanh", {inner}), number(graph, 1.0F, x)));
}

}  // namespace

Value add(Graph& graph, const Value& a, const Value& b) { return graph.node("Add", {a, b}); }

Value multiply(Graph& graph, const Value& a, const Value& b) { return graph.node("Mul", {a, b}); }

Value matmul(Graph& graph, const Value& a, const Value& b) { return graph.node("MatMul", {a, b}); }

Value cast(Graph& graph, const Value& x, ElementType type) {
  if (x.type == type) return x;
  return graph.node("Cast", {x}, type, {{"to", static_cast<std::int64_t>(type)}});
}

Value transpose(Graph& graph, const Value& x, const Ints& order) {
  return graph.node("Transpose", {x}, {{"perm", order}});
}

Value reshape(Graph& graph, const Value& x, const Ints& shape) {
  return graph.node("Reshape", {x, graph.ints(shape)});
}

Value unsqueeze(Graph& graph, const Value& x, const Ints& axes) {
  return graph.node("Unsqueeze", {x, graph.ints(axes)});
}

Value concat(Graph& graph, const Value& a, const Value& b, std::int64_t axis) {
  return graph.node("Concat", {a, b}, {{"axis", axis}});
}

Value gather_rows(Graph& graph, const Value& table, const Value& indices) {
  return graph.node("Gather", {table, indices}, {{"axis", std::int64_t{0}}});
}

Value size_of_dimension(Graph& graph, const Value& x, std::int64_t axis) {
  const Value shape = graph.node("Shape", {x}, ElementType::i64);
  return gather_rows(graph, shape, graph.scalar(axis));
}

Value range(Graph& graph, const Value& begin, const Value& end) {
  return graph.node("Range", {begin, end, graph.scalar(std::int64_t{1})});
}

Value softmax(Graph& graph, const Value& x) {
  return graph.node("Softmax", {x}, {{"axis", kLast}});
}

Value layer_norm(Graph& graph, const Value& x, const Value& gamma, const Value& beta,
                 float epsilon) {
  const Value wide = cast(graph, x, ElementType::f32);
  if (graph.opset() >= kLayerNormalization) {
    return graph.node("LayerNormalization", {wide, gamma, beta},
                      {{"axis", kLast}, {"epsilon", epsilon}});
  }
  const Value centred = subtract(graph, wide, mean(graph, wide));
  const Value variance = mean(graph, multiply(graph, centred, centred));
  const Value deviation = graph.node("Sqrt", {add(graph, variance, graph.scalar(epsilon))});
  const Value normal = graph.node("Div", {centred, deviation});
  return add(graph, multiply(graph, normal, gamma), beta);
}

Value activate(Graph& graph, const Value& x, Activation activation) {
  switch (activation) {
    case Activation::none:
      return x;
    case Activation::gelu:
      return gelu(graph, x);
    case Activation::gelu_new:
      return gelu_tanh(graph, x);
    case Activation::relu:
      return graph.node("Relu", {x});
    case Activation::silu:
      return multiply(graph, x, graph.node("Sigmoid", {x}));
    case Activation::tanh:
      return graph.node("Tanh", {x});
  }
  return x;
}

}  // namespace kobolt::onnx
