#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "kobolt/evaluate.h"

namespace kobolt::cli {

/// Documents and what their summaries are compared with.
class SummaryScore {
 public:
  explicit SummaryScore(std::span<const Example> examples);

  [[nodiscard]] std::size_t documents() const { return documents_.size(); }
  /// ROUGE-L (F, the mean) of an engine's summaries with its own settings. `progress` counts
  /// documents. Throws Error.
  [[nodiscard]] double rouge_l(const std::filesystem::path& engine, int threads,
                               const std::function<void(std::size_t)>& progress = {}) const;

 private:
  std::vector<std::string> documents_;
  std::vector<std::vector<std::string>> references_;
};

}  // namespace kobolt::cli
