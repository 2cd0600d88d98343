#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "export/onnx/elements.h"

/// What an ONNX file says, as far as Kobolt writes it.
namespace kobolt::onnx {

using Ints = std::vector<std::int64_t>;

struct Attribute {
  std::string name;
  std::variant<std::int64_t, float, std::string, Ints> value;
};

/// An operation with one output.
struct NodeDef {
  std::string name;
  std::string op_type;
  std::vector<std::string> inputs;
  std::string output;
  std::vector<Attribute> attributes;
};

/// A dimension: its size, or a name for one that each call may choose.
using Dimension = std::variant<std::int64_t, std::string>;

/// An input or output of the graph.
struct ValueDef {
  std::string name;
  ElementType type = ElementType::f32;
  std::vector<Dimension> shape;
};

/// A constant: its bytes, little-endian, or where they are in another file.
struct TensorDef {
  std::string name;
  ElementType type = ElementType::f32;
  Ints shape;
  Bytes bytes;
  std::string file;  ///< empty: the bytes are here
  std::uint64_t offset = 0;
  std::uint64_t length = 0;
};

struct ModelDef {
  int opset = 0;
  std::string graph_name;
  std::vector<NodeDef> nodes;
  std::vector<TensorDef> initializers;
  std::vector<ValueDef> inputs;
  std::vector<ValueDef> outputs;
  std::vector<std::pair<std::string, std::string>> properties;
};

/// The content of the file: a ModelProto of the ONNX IR specification, of the oldest version that
/// may hold the operator set, so that older readers of it take the file.
std::string serialised(const ModelDef& model);

}  // namespace kobolt::onnx
