#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "kobolt/evaluate.h"
#include "kobolt/summarizer.h"

namespace kobolt::cli {

/// Documents and what their summaries are compared with.
class SummaryScore {
 public:
  explicit SummaryScore(std::span<const Example> examples);

  [[nodiscard]] std::size_t documents() const { return documents_.size(); }
  /// ROUGE-L (F, the mean) of an engine's summaries with its own settings. `progress` counts
  /// documents. Throws Error.
  [[nodiscard]] double rouge_l(Summarizer& engine,
                               const std::function<void(std::size_t)>& progress = {}) const;

 private:
  std::vector<std::string> documents_;
  std::vector<std::vector<std::string>> references_;
};

}  // namespace kobolt::cli
