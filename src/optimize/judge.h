#pragma once

#include <map>
#include <span>
#include <string>
#include <vector>

#include "kobolt/optimize.h"

namespace kobolt {

/// Summaries by the document's place in the data.
using SummaryMap = std::map<std::size_t, std::string>;

/// What a trial's summaries are worth beside the baseline's.
class Judge {
 public:
  /// Both outlive the judge.
  Judge(const OptimizeOptions& options, const SummaryMap& baseline);

  /// The gate on these documents, of which both have summaries. Throws Error where the baseline
  /// scores 0 on all of them.
  [[nodiscard]] GateReport compare(const SummaryMap& candidate,
                                   std::span<const std::size_t> documents) const;
  /// Trial::fidelity on these documents.
  [[nodiscard]] double fidelity(const SummaryMap& candidate,
                                std::span<const std::size_t> documents) const;
  /// Whether the baseline scores anything on these documents.
  [[nodiscard]] bool can_tell(std::span<const std::size_t> documents) const;

 private:
  struct Scored {
    std::vector<std::string> summaries;
    std::vector<RougeScore> scores;
  };
  [[nodiscard]] Scored score(const SummaryMap& summaries,
                             std::span<const std::size_t> documents) const;

  const OptimizeOptions& options_;
  const SummaryMap& baseline_;
};

/// Fills in what a trial keeps: of each ROUGE the share and the interval, and the least of them.
void set_quality(Trial& trial, const GateReport& quality);

}  // namespace kobolt
