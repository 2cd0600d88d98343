#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "kobolt/compile.h"
#include "kobolt/model.h"

namespace kobolt {

/// Which precision each matrix of an engine gets.
class PrecisionPlan {
 public:
  /// Throws Error(invalid_argument) for a pattern that matches no matrix, naming the closest ones.
  PrecisionPlan(const CompileOptions& options, const ModelConfig& config);

  /// Of the matrix of this name in the engine (docs/format.md). The name must exist.
  [[nodiscard]] Precision of(std::string_view name) const;
  /// Whether any matrix gets it.
  [[nodiscard]] bool has(Precision precision) const;
  /// "int8, lm_head=fp16": the options as the engine's provenance shows them.
  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  std::vector<std::pair<std::string, Precision>> matrices_;
  std::string text_;
};

}  // namespace kobolt
