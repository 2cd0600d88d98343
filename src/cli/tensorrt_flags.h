#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <string>

#include "kobolt/tensorrt.h"

namespace kobolt::cli {

/// The flags of `kobolt compile` that are for --backend tensorrt.
struct TensorRTFlags {
  std::string backend = "kobolt";
  std::uint64_t workspace_size = TensorRTOptions{}.workspace_size;
  int max_batch_size = TensorRTOptions{}.max_batch_size;
  int batch = TensorRTShape{}.batch;
  int sequence = TensorRTShape{}.sequence;
  bool dynamic_axes = true;
  std::string fallback = "kobolt";
  std::string timing_cache;
  std::string save_config;

  void add(CLI::App& command);
  [[nodiscard]] bool chosen() const { return backend == "tensorrt"; }
  /// `calibration` may be null, and outlives the result.
  [[nodiscard]] TensorRTOptions options(Precision precision, const Calibration* calibration) const;
};

}  // namespace kobolt::cli
