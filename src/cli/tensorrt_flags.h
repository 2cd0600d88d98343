#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <optional>
#include <string>

#include "kobolt/tensorrt.h"

namespace kobolt::cli {

/// The flags of `kobolt compile` that are for --backend tensorrt.
struct TensorRTFlags {
  std::string backend = "kobolt";
  std::uint64_t workspace_size = TensorRTOptions{}.workspace_size;
  int max_batch_size = TensorRTOptions{}.max_batch_size;
  int batch = TensorRTShape{}.batch;
  std::optional<int> sequence;
  bool dynamic_axes = true;
  std::string fallback = "kobolt";
  std::string timing_cache;
  std::string save_config;

  void add(CLI::App& command);
  [[nodiscard]] bool chosen() const { return backend == "tensorrt"; }
  /// Throws CLI::ValidationError for flags of `command` that would do nothing.
  void check(const CLI::App& command) const;
  /// What the engine is tuned for.
  [[nodiscard]] TensorRTShape shape(const ModelConfig& model) const;
  /// `calibration` may be null, and outlives the result.
  [[nodiscard]] TensorRTOptions options(Precision precision, const Calibration* calibration) const;
};

}  // namespace kobolt::cli
