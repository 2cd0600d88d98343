#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "kobolt/export.h"
#include "kobolt/summarizer.h"

namespace kobolt {

struct BenchmarkOptions {
  int batch = 1;       ///< documents at once
  int sequence = 512;  ///< tokens of each document
  int beams = 4;
  int new_tokens = 64;  ///< exactly this many are generated a document
  bool encoder_only = false;
  int iterations = 100;
  int warmup = 10;
  std::uint64_t seed = 0;  ///< of the random token ids
  std::function<void(const Progress&)> progress;
};

/// Times in seconds an iteration (one batch).
struct BenchmarkResult {
  double avg_time = 0;
  double p50 = 0;
  double p90 = 0;
  double p99 = 0;
  double min = 0;
  double max = 0;
  double throughput = 0;          ///< documents a second
  double tokens_per_second = 0;   ///< generated tokens; encoder tokens when encoder_only
  std::uint64_t peak_memory = 0;  ///< resident bytes, highest since the process started
  std::vector<double> times;
};

/// Most resident memory that this process has had so far, bytes.
KOBOLT_API std::uint64_t peak_memory();

/// Runs `summarizer` on random documents. Throws Error for sizes that the model does not have.
KOBOLT_API BenchmarkResult benchmark(Summarizer& summarizer, const BenchmarkOptions& options);

}  // namespace kobolt
