#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "compile/precision_plan.h"
#include "format/engine_file.h"
#include "kobolt/model.h"

namespace kobolt {

/// Turns a model's tensors into sections of an engine file: joins what the engine computes
/// together, quantises and packs.
class SectionBuilder {
 public:
  SectionBuilder(const Model& model, const PrecisionPlan& plan, const CompileOptions& options,
                 EngineWriter& writer)
      : model_(model), plan_(plan), options_(options), writer_(writer) {}

  /// Sections NAME.weight (packed as the plan says, without zeros as the options say, with
  /// NAME.scales for int8) and NAME.bias for a linear layer whose output features are those of
  /// `modules` (such as q_proj, k_proj, v_proj) in order, each [rows, k]. Throws Error naming a
  /// tensor that is missing or of another shape.
  void linear(const std::string& name, std::initializer_list<std::string> modules, int rows, int k);
  /// NAME.weight (and NAME.scales) from one matrix [n, k] without bias.
  void matrix(const std::string& name, const std::string& tensor, int n, int k);
  /// NAME.gamma and NAME.beta from a layer norm over d values.
  void norm(const std::string& name, const std::string& module, int d);
  /// NAME from a table of rows (with NAME.scales for int8).
  void table(const std::string& name, const std::vector<float>& values, int rows, int d);
  /// NAME from values padded with zeros to whole panels.
  void padded_vector(const std::string& name, std::vector<float> values);
  /// A file as it is, but for the space in JSON that means nothing.
  void file(const std::string& name, std::string_view content);
  [[nodiscard]] bool has(const std::string& tensor) const {
    return model_.tensors.contains(tensor);
  }
  /// The values of a tensor of exactly this shape.
  [[nodiscard]] std::vector<float> values(const std::string& tensor,
                                          std::vector<std::int64_t> shape) const;

 private:
  void packed(const std::string& name, const std::vector<float>& values, int n, int k);
  void packed_int4(const std::string& name, const std::vector<float>& values, int n, int k);
  void quantized_table(const std::string& name, const std::vector<float>& values, int rows, int d);

  const Model& model_;
  const PrecisionPlan& plan_;
  const CompileOptions& options_;
  EngineWriter& writer_;
};

}  // namespace kobolt
