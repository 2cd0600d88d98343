#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "kobolt/compile.h"

namespace kobolt::cli {

/// --precision, --layer and --sparse, of every command that compiles a checkpoint.
class PrecisionFlags {
 public:
  /// `purpose` opens the help text of --precision.
  void add(CLI::App& command, const std::string& purpose);
  /// Throws Error(invalid_argument) for a --layer that is not PATTERN=PRECISION.
  [[nodiscard]] CompileOptions options() const;
  /// "int8, lm_head=fp16".
  [[nodiscard]] std::string text() const;
  [[nodiscard]] const std::string& precision() const { return precision_; }
  [[nodiscard]] const std::vector<std::string>& layers() const { return layers_; }

 private:
  std::string precision_ = "fp32";
  std::vector<std::string> layers_;
  std::string sparse_ = "auto";
};

}  // namespace kobolt::cli
