#pragma once

#include <string>

#include "export/onnx/graph.h"
#include "kobolt/model.h"
#include "kobolt/onnx.h"

/// Matrices of a model, by their tensors' names, as parts of a graph in some precision: stored once
/// in the weight file and turned into floats by nodes that ONNX Runtime and TensorRT know how to
/// fuse with the product that follows.
namespace kobolt::onnx {

/// fp16 where the precision is, else fp32.
ElementType float_type(OnnxPrecision precision);

/// Whether weights are stored as integers with scales.
bool is_integer(OnnxPrecision precision);

/// A vector of the model as f32 or f16, [n].
Value stored_vector(Graph& graph, const Model& model, const std::string& tensor, ElementType type);

/// What an int8 layer sees of x: rounded to steps of `scale`, -128 to 127 of them.
Value rounded_input(Graph& graph, const Value& x, float scale);

/// The weight [out, in] of a linear layer as MatMul's second factor, [in, out], of
/// float_type(precision).
Value linear_factor(Graph& graph, const Model& model, const std::string& tensor,
                    OnnxPrecision precision);

/// The same for a weight in fp32 or fp16 that is looked up by rows too, without storing it again.
Value table_factor(Graph& graph, const Model& model, const std::string& tensor,
                   OnnxPrecision precision);

/// Rows of a table [n, d] in fp32: indices [...] to [..., d].
Value table_rows(Graph& graph, const Model& model, const std::string& tensor,
                 OnnxPrecision precision, const Value& indices);

}  // namespace kobolt::onnx
