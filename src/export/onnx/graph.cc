#include "export/onnx/graph.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cassert>
#include <span>
#include <utility>

namespace kobolt::onnx {
namespace {

std::string text_of(const Attribute& attribute) {
  return std::visit([&](const auto& value) { return fmt::format("{}={}", attribute.name, value); },
                    attribute.value);
}

}  // namespace

Graph::Graph(const std::string& name, int opset, WeightFile& weights) : weights_(weights) {
  model_.opset = opset;
  model_.graph_name = name;
}

Value Graph::input(const std::string& name, ElementType type, const std::vector<Dimension>& shape) {
  model_.inputs.push_back({.name = name, .type = type, .shape = shape});
  return {.name = name, .type = type};
}

void Graph::output(const Value& value, const std::string& name,
                   const std::vector<Dimension>& shape) {
  model_.outputs.push_back({.name = name, .type = value.type, .shape = shape});
  const bool fresh = outputs_.emplace(value.name, name).second;
  assert(fresh);
  static_cast<void>(fresh);
}

Value Graph::node(const std::string& op_type, const std::vector<Value>& inputs, ElementType type,
                  const std::vector<Attribute>& attributes) {
  std::string key = op_type;
  for (const Value& input : inputs) key += '\n' + input.name;
  for (const Attribute& attribute : attributes) key += '\n' + text_of(attribute);
  const auto known = nodes_.find(key);
  if (known != nodes_.end()) return known->second;

  std::string name = scope_ + op_type;
  if (const int count = ++names_[name]; count > 1) name += fmt::format("_{}", count);
  NodeDef& node = model_.nodes.emplace_back();
  node = {.name = name, .op_type = op_type, .output = name, .attributes = attributes};
  for (const Value& input : inputs) node.inputs.push_back(input.name);
  return nodes_.emplace(key, Value{.name = name, .type = type}).first->second;
}

Value Graph::node(const std::string& op_type, const std::vector<Value>& inputs,
                  const std::vector<Attribute>& attributes) {
  return node(op_type, inputs, inputs.front().type, attributes);
}

Value Graph::scalar(float value) {
  return weight(fmt::format("f32:{}", value), ElementType::f32, {},
                [&] { return bytes_of(std::span<const decltype(value)>(&value, 1)); });
}

Value Graph::scalar(std::int64_t value) {
  return weight(fmt::format("i64:{}", value), ElementType::i64, {},
                [&] { return bytes_of(std::span<const decltype(value)>(&value, 1)); });
}

Value Graph::scalar(std::int8_t value) {
  return weight(fmt::format("i8:{}", value), ElementType::i8, {},
                [&] { return bytes_of(std::span<const decltype(value)>(&value, 1)); });
}

Value Graph::ints(const Ints& values) {
  return weight(fmt::format("i64:{}", values), ElementType::i64,
                {static_cast<std::int64_t>(values.size())},
                [&] { return bytes_of(std::span<const std::int64_t>(values)); });
}

Value Graph::weight(const std::string& name, ElementType type, const Ints& shape,
                    const std::function<Bytes()>& make) {
  Value value{.name = name, .type = type};
  if (!initializers_.insert(name).second) return value;
  const StoredTensor& stored = weights_.store(name, type, shape, make);
  TensorDef& tensor = model_.initializers.emplace_back();
  tensor = {.name = name, .type = stored.type, .shape = stored.shape, .bytes = stored.bytes};
  if (stored.bytes.empty()) {
    tensor.file = weights_.name();
    tensor.offset = stored.offset;
    tensor.length = stored.length;
  }
  return value;
}

std::string Graph::finish(const std::vector<std::pair<std::string, std::string>>& properties) {
  const auto rename = [&](std::string& name) {
    const auto output = outputs_.find(name);
    if (output != outputs_.end()) name = output->second;
  };
  for (NodeDef& node : model_.nodes) {
    for (std::string& name : node.inputs) rename(name);
    rename(node.output);
  }
  model_.properties = properties;
  return serialised(model_);
}

Graph::Scope::Scope(Graph& graph, const std::string& name)
    : graph_(graph), outer_(graph.scope_.size()) {
  graph_.scope_ += name + '/';
}

Graph::Scope::~Scope() { graph_.scope_.resize(outer_); }

}  // namespace kobolt::onnx
