#pragma once

#include "export/onnx/graph.h"

/// What is added to attention scores: 0 where a token may be looked at, the least float elsewhere,
/// as in transformers.
namespace kobolt::onnx {

/// Of documents of different lengths: `present` [b, s] is 1 for tokens, 0 for padding.
/// [b, 1, 1, s].
Value padding_mask(Graph& graph, const Value& present);

/// Of tokens that do not see what follows them: `queries` [t] and `keys` [n] are their positions.
/// [1, 1, t, n].
Value causal_mask(Graph& graph, const Value& queries, const Value& keys);

}  // namespace kobolt::onnx
