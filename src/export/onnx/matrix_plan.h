#pragma once

#include <functional>
#include <map>
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
  /// Throws Error(invalid_argument) for a pattern that matches no matrix, naming the closest ones,
  /// and for int8 without a calibration of these weights.
  MatrixPlan(const OnnxOptions& options, const Model& model);

  /// Of a module's weight, such as "encoder.layers.0.fc1" or "shared". It must exist.
  [[nodiscard]] OnnxPrecision of(std::string_view module) const;
  /// Type of keys, values and the products with them: f16 where the whole export is fp16, else f32.
  [[nodiscard]] ElementType attention_type() const { return attention_type_; }
  [[nodiscard]] bool has(std::string_view module) const;
  [[nodiscard]] bool has(OnnxPrecision precision) const;
  /// What one step of a layer's int8 input is worth, by the layer's name, such as "lm_head". Of
  /// plans with int8 only. Throws Error(not_found) where the calibration lacks it.
  [[nodiscard]] float input_scale(std::string_view layer) const;
  /// "int8-weights, lm_head=fp16".
  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  std::vector<std::pair<std::string, OnnxPrecision>> matrices_;
  ElementType attention_type_;
  std::map<std::string, float, std::less<>> input_scales_;
  std::string text_;
};

}  // namespace kobolt::onnx
