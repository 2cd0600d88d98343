#pragma once

#include <CLI/CLI.hpp>
#include <cstddef>
#include <optional>
#include <string>

#include "cli/output.h"
#include "kobolt/benchmark.h"
#include "kobolt/evaluate.h"

namespace kobolt::cli {

/// What an engine is given to do, the same in every command that measures: random documents of
/// exact length, or the documents of a file.
class WorkFlags {
 public:
  void add(CLI::App& command);
  /// Budget, warm-up and generation are left to the command; reads the file of --data. Throws
  /// Error, or CLI::ValidationError for flags that contradict each other.
  [[nodiscard]] BenchmarkOptions options() const;
  /// For the documents of a file: the checkpoint's settings with what was given on top; nothing
  /// for random documents.
  [[nodiscard]] std::optional<GenerationConfig> generation(
      const GenerationConfig& checkpoint) const;
  /// The examples of --data, with references where `need_references`.
  [[nodiscard]] std::vector<Example> examples(bool need_references) const;
  [[nodiscard]] const std::string& data() const { return data_; }

  /// "8 x 512 tokens in, 64 out, 4 beams".
  [[nodiscard]] std::string text() const;
  /// The same as fields.
  [[nodiscard]] Json json() const;

 private:
  int batch_ = BenchmarkOptions{}.batch;
  std::optional<int> sequence_;
  std::optional<int> beams_;
  std::optional<int> new_tokens_;
  bool encoder_only_ = false;
  std::string data_;
  DatasetOptions fields_;
  std::size_t limit_ = 0;
  std::uint64_t seed_ = 0;
};

}  // namespace kobolt::cli
