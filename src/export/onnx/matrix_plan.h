#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "export/onnx/elements.h"
#include "kobolt/model.h"
#include "kobolt/onnx.h"

namespace kobolt::onnx {

/// Which precision each matrix of an export gets.
class MatrixPlan {
 public:
  /// Throws Error(invalid_argument) for a pattern that matches no matrix, naming the closest ones.
  MatrixPlan(const OnnxOptions& options, const ModelConfig& config);

  /// Of a module's weight, such as "encoder.layers.0.fc1" or "shared". It must exist.
  [[nodiscard]] OnnxPrecision of(std::string_view module) const;
  /// Type of keys, values and the products with them: f16 where the whole export is fp16, else f32.
  [[nodiscard]] ElementType attention_type() const { return attention_type_; }
  [[nodiscard]] bool has(std::string_view module) const;
  [[nodiscard]] bool has(OnnxPrecision precision) const;
  /// "int8-weights, lm_head=fp16".
  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  std::vector<std::pair<std::string, OnnxPrecision>> matrices_;
  ElementType attention_type_;
  std::string text_;
};

}  // namespace kobolt::onnx
