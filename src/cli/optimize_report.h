#pragma once

#include <string>

#include "cli/output.h"
#include "kobolt/optimize.h"

namespace kobolt::cli {

/// What a report of a search says beside its result.
struct OptimizeReport {
  const OptimizeResult& result;
  const OptimizeOptions& options;
  std::string model;
  std::string data;
  std::string folder;
};

/// One sentence for a person: what was chosen, what it gains, what it costs; or what comes closest
/// and what it misses.
std::string optimize_sentence(const OptimizeReport& report);
/// What was asked for: "keep 99 % and a file of 8.0 MB".
std::string targets_text(const OptimizeTargets& targets);
/// Of a trial in the result: "chosen", "the baseline", "closest", "fails the gate", or nothing.
std::string verdict_text(const OptimizeReport& report, std::size_t trial);
/// The finalists beside fp32: method, time, speed-up, ROUGE-L, memory.
std::string optimize_text(const OptimizeReport& report);
Json optimize_json(const OptimizeReport& report);
/// One page: the front, the table, how it was judged, all trials.
std::string optimize_html(const OptimizeReport& report);

}  // namespace kobolt::cli
