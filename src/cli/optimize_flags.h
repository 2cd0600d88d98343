#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <string>
#include <vector>

#include "cli/calibration_data.h"
#include "kobolt/evaluate.h"
#include "kobolt/optimize.h"

namespace kobolt::cli {

/// The options of `kobolt optimize`, as they are given.
struct OptimizeFlags {
  std::string model;
  std::string output;
  std::string data;
  DatasetOptions fields;
  std::size_t limit = 0;
  CalibrationDataFlags calibration;
  std::string keep;
  std::string latency;
  std::string size;
  std::string memory;
  std::string prefer = "speed";
  double minutes = OptimizeOptions{}.minutes;
  int batch = 1;
  std::uint64_t seed = 0;
  std::string rouge_tokens = "unicode";
  std::vector<std::string> precisions{"int8", "int4", "fp16", "bf16"};
  bool no_mixed = false;
  std::vector<std::string> prunings;
  std::vector<std::string> kv_caches{"auto", "int8"};
  std::vector<int> beams{0};
  std::vector<int> threads{0};
  std::vector<int> batches{0};
};

/// Adds them to the command.
void add_options(CLI::App& command, OptimizeFlags& flags);

/// What they ask for, but for the data and what needs a program: reading it, memory, progress.
OptimizeOptions optimize_options(const OptimizeFlags& flags);

}  // namespace kobolt::cli
