#include "export/onnx/model_file.h"

#include <string_view>

#include "export/onnx/wire_writer.h"
#include "kobolt/version.h"

// Field numbers are those of onnx.proto, which the ONNX IR specification never changes.
namespace kobolt::onnx {
namespace {

int ir_version_for(int opset) {
  constexpr std::pair<int, int> kFirstOpset[] = {{28, 14}, {25, 13}, {24, 12}, {23, 11},
                                                 {21, 10}, {19, 9},  {15, 8}};
  for (const auto& [first, version] : kFirstOpset) {
    if (opset >= first) return version;
  }
  return 7;
}

WireWriter entry_proto(std::string_view key, std::string_view value) {
  WireWriter entry;  // StringStringEntryProto
  entry.bytes(1, key);
  entry.bytes(2, value);
  return entry;
}

// AttributeProto.AttributeType
constexpr int kFloat = 1;
constexpr int kInt = 2;
constexpr int kString = 3;
constexpr int kInts = 7;

struct AttributeWriter {
  WireWriter& proto;

  void operator()(float value) const {
    proto.real(2, value);
    type(kFloat);
  }
  void operator()(std::int64_t value) const {
    proto.integer(3, value);
    type(kInt);
  }
  void operator()(const std::string& value) const {
    proto.bytes(4, value);
    type(kString);
  }
  void operator()(const Ints& values) const {
    for (const std::int64_t value : values) proto.integer(8, value);
    type(kInts);
  }
  void type(int number) const { proto.integer(20, number); }
};

WireWriter attribute_proto(const Attribute& attribute) {
  WireWriter proto;
  proto.bytes(1, attribute.name);
  std::visit(AttributeWriter{proto}, attribute.value);
  return proto;
}

WireWriter node_proto(const NodeDef& node) {
  WireWriter proto;
  for (const std::string& input : node.inputs) proto.bytes(1, input);
  proto.bytes(2, node.output);
  proto.bytes(3, node.name);
  proto.bytes(4, node.op_type);
  for (const Attribute& attribute : node.attributes) proto.message(5, attribute_proto(attribute));
  return proto;
}

WireWriter tensor_proto(const TensorDef& tensor) {
  constexpr int kExternal = 1;
  WireWriter proto;
  for (const std::int64_t dimension : tensor.shape) proto.integer(1, dimension);
  proto.integer(2, static_cast<int>(tensor.type));
  proto.bytes(8, tensor.name);
  if (tensor.file.empty()) {
    proto.bytes(9, {reinterpret_cast<const char*>(tensor.bytes.data()), tensor.bytes.size()});
    return proto;
  }
  proto.message(13, entry_proto("location", tensor.file));
  proto.message(13, entry_proto("offset", std::to_string(tensor.offset)));
  proto.message(13, entry_proto("length", std::to_string(tensor.length)));
  proto.integer(14, kExternal);
  return proto;
}

WireWriter dimension_proto(const Dimension& dimension) {
  WireWriter proto;
  if (const auto* size = std::get_if<std::int64_t>(&dimension)) {
    proto.integer(1, *size);
  } else {
    proto.bytes(2, std::get<std::string>(dimension));
  }
  return proto;
}

WireWriter value_proto(const ValueDef& value) {
  WireWriter shape;
  for (const Dimension& dimension : value.shape) shape.message(1, dimension_proto(dimension));
  WireWriter tensor;
  tensor.integer(1, static_cast<int>(value.type));
  tensor.message(2, shape);
  WireWriter type;
  type.message(1, tensor);
  WireWriter proto;
  proto.bytes(1, value.name);
  proto.message(2, type);
  return proto;
}

WireWriter graph_proto(const ModelDef& model) {
  WireWriter proto;
  for (const NodeDef& node : model.nodes) proto.message(1, node_proto(node));
  proto.bytes(2, model.graph_name);
  for (const TensorDef& tensor : model.initializers) proto.message(5, tensor_proto(tensor));
  for (const ValueDef& input : model.inputs) proto.message(11, value_proto(input));
  for (const ValueDef& output : model.outputs) proto.message(12, value_proto(output));
  return proto;
}

}  // namespace

std::string serialised(const ModelDef& model) {
  WireWriter opset;
  opset.bytes(1, "");  // the domain of ONNX itself
  opset.integer(2, model.opset);
  WireWriter proto;
  proto.integer(1, ir_version_for(model.opset));
  proto.bytes(2, "kobolt");
  proto.bytes(3, version());
  proto.message(7, graph_proto(model));
  proto.message(8, opset);
  for (const auto& [key, value] : model.properties) proto.message(14, entry_proto(key, value));
  return proto.written();
}

}  // namespace kobolt::onnx
