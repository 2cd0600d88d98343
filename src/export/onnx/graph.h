#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "export/onnx/elements.h"
#include "export/onnx/model_file.h"
#include "export/onnx/weight_file.h"

namespace kobolt::onnx {

/// What flows through a graph: the output of a node, an input or a constant.
struct Value {
  std::string name;
  ElementType type = ElementType::f32;
};

/// One ONNX graph in the making. Values are used after they exist, so nodes are in an order in
/// which they can be computed.
class Graph {
 public:
  /// `weights` outlives the graph.
  Graph(const std::string& name, int opset, WeightFile& weights);
  Graph(const Graph&) = delete;
  Graph& operator=(const Graph&) = delete;

  [[nodiscard]] int opset() const { return model_.opset; }

  Value input(const std::string& name, ElementType type, const std::vector<Dimension>& shape);
  /// Gives `value` this name when the graph is finished.
  void output(const Value& value, const std::string& name, const std::vector<Dimension>& shape);

  /// A node with one output of `type`. The same operation on the same values is one node, however
  /// often it is asked for.
  Value node(const std::string& op_type, const std::vector<Value>& inputs, ElementType type,
             const std::vector<Attribute>& attributes = {});
  /// The same, for the many whose output has the type of their first input.
  Value node(const std::string& op_type, const std::vector<Value>& inputs,
             const std::vector<Attribute>& attributes = {});

  Value scalar(float value);
  Value scalar(std::int64_t value);
  Value scalar(std::int8_t value);
  /// One dimension.
  Value ints(const Ints& values);
  /// A tensor of the weight file, or a small one with its bytes in the graph.
  Value weight(const std::string& name, ElementType type, const Ints& shape,
               const std::function<Bytes()>& make);

  /// For as long as it lives, names of nodes begin with `name` and a slash.
  class Scope {
   public:
    Scope(Graph& graph, const std::string& name);
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;
    ~Scope();

   private:
    Graph& graph_;
    std::size_t outer_;
  };

  /// The content of its file, with these properties. The last call.
  std::string finish(const std::vector<std::pair<std::string, std::string>>& properties);

 private:
  WeightFile& weights_;
  ModelDef model_;
  std::string scope_;
  std::map<std::string, int> names_;            // how often each was given to a node
  std::map<std::string, Value> nodes_;          // by operation and inputs
  std::set<std::string> initializers_;          // that this graph has
  std::map<std::string, std::string> outputs_;  // name of a value to name of the output
};

}  // namespace kobolt::onnx
