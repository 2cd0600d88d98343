#pragma once

#include <cstdint>

#include "export/onnx/graph.h"
#include "kobolt/model.h"

/// The operations of a transformer as nodes of a graph. Where an operator is newer than the graph's
/// operator set, the older ones that make the same.
namespace kobolt::onnx {

Value add(Graph& graph, const Value& a, const Value& b);
Value multiply(Graph& graph, const Value& a, const Value& b);
Value matmul(Graph& graph, const Value& a, const Value& b);
/// Nothing where `x` is of `type` already.
Value cast(Graph& graph, const Value& x, ElementType type);
Value transpose(Graph& graph, const Value& x, const Ints& order);
/// A size of 0 stays what it is in `x`, -1 is whatever is left.
Value reshape(Graph& graph, const Value& x, const Ints& shape);
/// New dimensions of size 1 at these places of the result.
Value unsqueeze(Graph& graph, const Value& x, const Ints& axes);
Value concat(Graph& graph, const Value& a, const Value& b, std::int64_t axis);
/// Rows of `table` [n, d] by `indices` [...]: [..., d].
Value gather_rows(Graph& graph, const Value& table, const Value& indices);
/// Size of a dimension, a scalar.
Value size_of_dimension(Graph& graph, const Value& x, std::int64_t axis);
/// begin, begin + 1, ... before `end`.
Value range(Graph& graph, const Value& begin, const Value& end);
/// Over the last dimension.
Value softmax(Graph& graph, const Value& x);
/// Over the last dimension, in fp32.
Value layer_norm(Graph& graph, const Value& x, const Value& gamma, const Value& beta,
                 float epsilon);
Value activate(Graph& graph, const Value& x, Activation activation);

}  // namespace kobolt::onnx
