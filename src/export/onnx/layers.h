#pragma once

#include <string>

#include "export/onnx/graph.h"
#include "export/onnx/matrix_plan.h"
#include "kobolt/model.h"

namespace kobolt::onnx {

/// The layers of a model as nodes of a graph, each in its precision. Modules are named as in
/// "encoder.layers.0.fc1".
class Layers {
 public:
  /// All outlive this.
  Layers(const Model& model, const MatrixPlan& plan, Graph& graph)
      : model_(model), plan_(plan), graph_(graph) {}

  [[nodiscard]] const ModelConfig& config() const { return model_.config; }
  [[nodiscard]] Graph& graph() const { return graph_; }

  /// x W^T + b, in fp16 where the module is, else fp32. x [..., in], W [out, in].
  [[nodiscard]] Value linear(const std::string& module, const Value& x) const;
  /// Layer norm in fp32.
  [[nodiscard]] Value norm(const std::string& module, const Value& x) const;
  /// What enters the first layer of "encoder" or "decoder", in fp32: ids [b, t], positions [t] to
  /// [b, t, d].
  [[nodiscard]] Value embed(const std::string& side, const Value& ids,
                            const Value& positions) const;
  /// fp32: x [b, t, d] to [b, t, vocabulary].
  [[nodiscard]] Value logits(const Value& x) const;

 private:
  /// What a layer multiplies its weight with: x in the type that its precision computes with, and
  /// rounded where that is int8.
  [[nodiscard]] Value input_of(const std::string& layer, OnnxPrecision precision,
                               const Value& x) const;
  [[nodiscard]] std::string embedding_of(const std::string& side) const;
  [[nodiscard]] Value position_rows(const std::string& side, const Value& positions) const;

  const Model& model_;
  const MatrixPlan& plan_;
  Graph& graph_;
};

}  // namespace kobolt::onnx
