#pragma once

#include <string>

#include "cli/output.h"
#include "cli/work_flags.h"
#include "kobolt/benchmark.h"

namespace kobolt::cli {

struct BenchReport {
  std::string model;        ///< as given
  double load_seconds = 0;  ///< to open the engine, or to compile a folder in memory
  BenchmarkResult result;
};

/// {"count", "average", "deviation", "p50", "p90", "p95", "p99", "min", "max"}, seconds.
Json times_json(const TimeSummary& times);

/// What `kobolt bench` prints, docs/measuring.md.
Json bench_json(const BenchReport& report, const WorkFlags& work, const BenchmarkOptions& options,
                const Summarizer& summarizer);
std::string bench_text(const BenchReport& report, const WorkFlags& work,
                       const BenchmarkOptions& options, const Summarizer& summarizer);

/// "1.24 ms", "0.31 s": three digits or more, in the unit that a person would choose.
std::string format_seconds(double seconds);

}  // namespace kobolt::cli
