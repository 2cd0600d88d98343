#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "export/onnx/model_file.h"

namespace kobolt::onnx {

/// A tensor of any type, its elements as doubles.
struct Array {
  Ints shape;
  std::vector<double> values;
};

/// Computes a graph node by node, as the ONNX specification defines each operator, in double
/// precision: what the graph means, whatever a runtime makes of it. Throws std::runtime_error for
/// an operator or a use of one that Kobolt does not write.
std::map<std::string, Array> evaluate(const ModelDef& model, std::map<std::string, Array> inputs);

}  // namespace kobolt::onnx
