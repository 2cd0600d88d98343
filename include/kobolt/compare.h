#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "kobolt/benchmark.h"
#include "kobolt/export.h"
#include "kobolt/summarizer.h"

namespace kobolt {

struct CompareOptions {
  /// The work of a turn; its iterations, seconds and rate do not count. Documents are the same for
  /// all engines of a round.
  BenchmarkOptions work;
  int rounds = 20;     ///< each engine has one turn a round
  double seconds = 0;  ///< above 0: as many rounds as start within this time, in place of them
  double confidence = 0.99;   ///< of the intervals
  double turn_seconds = 0.1;  ///< least time of a turn, in batches of the fastest engine
  std::uint64_t seed = 0;     ///< of the order within rounds
  std::function<void(const Progress&)> progress;  ///< rounds
};

struct RatioInterval {
  double low = 0;
  double ratio = 0;
  double high = 0;
  double confidence = 0;  ///< that low to high really has
};

/// What a ratio of speeds says.
enum class Verdict : std::uint8_t {
  same,    ///< the interval holds 1: what difference there is, is inside the noise
  faster,  ///< than the first
  slower,
};
KOBOLT_API Verdict verdict_of(const RatioInterval& speed);

/// One engine beside the others.
struct ComparedEngine {
  TimeSummary latency;  ///< of a batch
  std::optional<TimeSummary> first_token;
  std::optional<TimeSummary> per_token;
  double throughput = 0;         ///< documents a second
  double tokens_per_second = 0;  ///< as in BenchmarkResult
  RatioInterval speed;           ///< how many times as fast as the first engine; 1 for itself
  MemoryUse memory;              ///< but for peak_resident, which all engines share: 0
  std::vector<double> times;     ///< of all batches, seconds, in the order they ran
  std::vector<double> rounds;    ///< of its turns, seconds
};

/// An engine that could run no longer, as when its GPU vanishes.
struct ComparisonFailure {
  std::size_t engine = 0;  ///< its place among those compared
  std::string error;
};

struct Comparison {
  std::vector<ComparedEngine> engines;  ///< in the order given
  int rounds = 0;
  int batches_per_turn = 0;  ///< of the first
  /// Why there are fewer rounds than were asked for. The round under way counts for no engine.
  std::optional<ComparisonFailure> failure;
};

/// An engine of a comparison.
struct Contestant {
  Summarizer* summarizer = nullptr;
  std::optional<GenerationConfig> generation;  ///< for the documents of CompareOptions::work
  int batch = 0;  ///< documents at once; 0 = those of CompareOptions::work
};

/// Measures engines in turns: every round runs each of them once, in an order drawn anew, so that
/// whatever the machine does over time (clock rate, other programs, heat) meets all alike. Speeds
/// are ratios within rounds (docs/measuring.md). Throws Error for options out of range, also for
/// fewer rounds than `confidence` needs, and what an engine throws before there are so many; later
/// it ends the comparison.
KOBOLT_API Comparison compare(std::span<const Contestant> engines, const CompareOptions& options);

}  // namespace kobolt
