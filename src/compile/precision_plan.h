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
  /// Throws Error(invalid_argument) for a pattern that matches no matrix, naming the closest ones,
  /// and for a share of int4 without CompileOptions::int4.
  PrecisionPlan(const CompileOptions& options, const ModelConfig& config);

  /// Of the matrix of this name in the engine (docs/format.md). The name must exist.
  [[nodiscard]] Precision of(std::string_view name) const;
  /// Whether any matrix gets it.
  [[nodiscard]] bool has(Precision precision) const;
  /// "int8, lm_head=fp16": the options as the engine's provenance shows them.
  [[nodiscard]] const std::string& text() const { return text_; }

  /// Whether all matrices have the same.
  bool operator==(const PrecisionPlan& other) const { return matrices_ == other.matrices_; }

 private:
  void take_share(const CompileOptions& options);

  std::vector<std::pair<std::string, Precision>> matrices_;
  std::string text_;
};

}  // namespace kobolt
