#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "kobolt/evaluate.h"
#include "kobolt/export.h"

namespace kobolt {

/// How much of a baseline's quality has to be left. The defaults are MLPerf's rule for
/// summarisation.
struct GateOptions {
  double keep = 0.99;        ///< share of each ROUGE F, above 0
  double keep_length = 0.9;  ///< share of the mean length: short summaries can score well
  int bootstrap_samples = 1000;
  double confidence = 0.95;
  std::uint64_t seed = 0;
};

/// A figure of both systems, the mean over documents.
struct GateMeasure {
  std::string_view name;  ///< "ROUGE-1", "ROUGE-2", "ROUGE-L" or "length"
  double baseline = 0;
  double candidate = 0;
  double kept = 0;    ///< candidate / baseline; 1 where both are 0
  double needed = 0;  ///< the least `kept` that passes
  bool passed = false;
  /// candidate - baseline with its interval: documents are resampled in pairs, since what is hard
  /// for one system is hard for the other.
  double difference = 0;
  double difference_low = 0;
  double difference_high = 0;

  /// `kept` at the ends of that interval; 1 where the baseline is 0.
  [[nodiscard]] double kept_low() const { return share_at(difference_low); }
  [[nodiscard]] double kept_high() const { return share_at(difference_high); }

 private:
  [[nodiscard]] double share_at(double change) const {
    return baseline > 0 ? 1 + change / baseline : 1;
  }
};

struct GateReport {
  std::array<GateMeasure, 4> measures;  ///< ROUGE-1, -2, -L (F) and the length in characters
  bool passed = false;                  ///< all of them, by the means themselves
};

/// Characters (Unicode code points) of a summary, the mean over `summaries`. Tokens would not do:
/// systems with different vocabularies cut the same text differently.
KOBOLT_API double mean_length(std::span<const std::string> summaries);

/// What a gate needs to know of a system.
struct ScoredSummaries {
  std::span<const std::string> summaries;
  std::span<const RougeScore> scores;  ///< of each summary
};

/// Compares two systems on the same documents in the same order. Throws Error(invalid_argument)
/// when numbers of documents differ, an option is out of range, or the baseline scores 0 in
/// everything, so that there is nothing to keep.
KOBOLT_API GateReport check_gate(const ScoredSummaries& baseline, const ScoredSummaries& candidate,
                                 const GateOptions& options = {});

}  // namespace kobolt
