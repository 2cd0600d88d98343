#include "export/onnx/stored_matrix.h"

#include <cassert>
#include <functional>
#include <optional>
#include <utility>

#include "export/onnx/matrix_bytes.h"
#include "export/onnx/operators.h"
#include "model/convert.h"

namespace kobolt::onnx {
namespace {

DType dtype_of(ElementType type) { return type == ElementType::f16 ? DType::f16 : DType::f32; }

std::string stored_name(const std::string& tensor, ElementType type) {
  return type == ElementType::f16 ? tensor + ".fp16" : tensor;
}

/// Numbers and scales, which are made together when the first of them is asked for.
struct Quantised {
  Value numbers;
  Value scales;
};

template <typename Made>
Quantised quantised(Graph& graph, const std::string& name, ElementType type, const Ints& shape,
                    const Ints& scales, const std::function<Made()>& make) {
  std::optional<Made> made;
  const auto once = [&]() -> Made& {
    if (!made) made = make();
    return *made;
  };
  // In this order, whatever the compiler's: the name of the scales says what they belong to.
  const Value numbers = graph.weight(name, type, shape, [&] { return std::move(once().numbers); });
  return {numbers, graph.weight(name + ".scale", ElementType::f32, scales,
                                [&] { return std::move(once().scales); })};
}

Quantised int8_rows(Graph& graph, const Model& model, const std::string& tensor) {
  const Ints& shape = model.tensor(tensor).shape;
  return quantised<Int8Bytes>(graph, tensor + ".int8", ElementType::i8, shape, {shape[0]}, [&] {
    return int8_bytes(model.effective_tensor(tensor), Order::rows, tensor);
  });
}

Value dequantised(Graph& graph, const Quantised& from, std::int64_t axis,
                  std::vector<Attribute> more = {}) {
  more.insert(more.begin(), {"axis", axis});
  return graph.node("DequantizeLinear", {from.numbers, from.scales}, ElementType::f32, more);
}

Value stored_floats(Graph& graph, const Model& model, const std::string& tensor, ElementType type,
                    Order order) {
  Ints shape = model.tensor(tensor).shape;
  if (order == Order::columns) std::swap(shape[0], shape[1]);
  const std::string name = stored_name(tensor, type) + (order == Order::columns ? ".T" : "");
  return graph.weight(name, type, shape, [&] {
    return float_bytes(model.effective_tensor(tensor), dtype_of(type), order, tensor);
  });
}

}  // namespace

bool is_integer(OnnxPrecision precision) {
  return precision != OnnxPrecision::fp32 && precision != OnnxPrecision::fp16;
}

ElementType float_type(OnnxPrecision precision) {
  return precision == OnnxPrecision::fp16 ? ElementType::f16 : ElementType::f32;
}

Value stored_vector(Graph& graph, const Model& model, const std::string& tensor, ElementType type) {
  const std::int64_t size = model.tensor(tensor).elements();
  return graph.weight(stored_name(tensor, type), type, {size}, [&] {
    const Tensor values = convert(model.effective_tensor(tensor), dtype_of(type), tensor);
    return bytes_of(values.bytes);
  });
}

Value rounded_input(Graph& graph, const Value& x, float scale) {
  const Value step = graph.scalar(scale);
  const Value zero = graph.scalar(std::int8_t{0});
  const Value numbers =
      graph.node("QuantizeLinear", {cast(graph, x, ElementType::f32), step, zero}, ElementType::i8);
  return graph.node("DequantizeLinear", {numbers, step, zero}, ElementType::f32);
}

Value linear_factor(Graph& graph, const Model& model, const std::string& tensor,
                    OnnxPrecision precision) {
  const Ints& rows = model.tensor(tensor).shape;
  const std::int64_t out = rows[0];
  const std::int64_t in = rows[1];
  switch (precision) {
    case OnnxPrecision::fp32:
    case OnnxPrecision::fp16:
      return stored_floats(graph, model, tensor, float_type(precision), Order::columns);
    case OnnxPrecision::int8:
    case OnnxPrecision::int8_weights:
      return dequantised(
          graph,
          quantised<Int8Bytes>(
              graph, tensor + ".T.int8", ElementType::i8, {in, out}, {out},
              [&] { return int8_bytes(model.effective_tensor(tensor), Order::columns, tensor); }),
          1);
    case OnnxPrecision::int4_weights:
      return dequantised(
          graph,
          quantised<Int4Bytes>(graph, tensor + ".T.int4", ElementType::i4, {in, out},
                               {(in + kInt4Block - 1) / kInt4Block, out},
                               [&] { return int4_bytes(model.effective_tensor(tensor), tensor); }),
          0, {{"block_size", std::int64_t{kInt4Block}}});
  }
  assert(false);
  return {};
}

Value table_factor(Graph& graph, const Model& model, const std::string& tensor,
                   OnnxPrecision precision) {
  assert(!is_integer(precision));
  return transpose(graph, stored_floats(graph, model, tensor, float_type(precision), Order::rows),
                   {1, 0});
}

Value table_rows(Graph& graph, const Model& model, const std::string& tensor,
                 OnnxPrecision precision, const Value& indices) {
  assert(precision != OnnxPrecision::int4_weights);
  // Of graphs that TensorRT reads too, which lets nothing but DequantizeLinear touch stored
  // integers.
  if (precision == OnnxPrecision::int8) precision = OnnxPrecision::fp16;
  if (is_integer(precision)) {
    // By hand: DequantizeLinear would turn the whole table into floats first.
    const Quantised table = int8_rows(graph, model, tensor);
    const Value numbers = cast(graph, gather_rows(graph, table.numbers, indices), ElementType::f32);
    const Value scales = gather_rows(graph, table.scales, indices);
    return multiply(graph, numbers, unsqueeze(graph, scales, {-1}));
  }
  const Value table = stored_floats(graph, model, tensor, float_type(precision), Order::rows);
  return cast(graph, gather_rows(graph, table, indices), ElementType::f32);
}

}  // namespace kobolt::onnx
