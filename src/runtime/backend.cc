#include "runtime/backend.h"

#include <algorithm>

#include "kernels/kernels.h"

namespace kobolt {

void Backend::step_summary(std::span<const StepRow> rows, int count,
                           std::span<LogitSummary> summaries) {
  const auto vocabulary = static_cast<std::size_t>(vocab_size());
  logits_.resize(rows.size() * vocabulary);
  step(rows, logits_);
  const int kept = std::min(count, vocab_size());
  std::vector<float> values(static_cast<std::size_t>(kept));
  std::vector<std::int32_t> tokens(values.size());
  for (std::size_t row = 0; row < rows.size(); ++row) {
    const float* logits = logits_.data() + row * vocabulary;
    summaries[row].log_sum = kernels::log_sum_exp(logits, vocab_size());
    kernels::top_k(logits, vocab_size(), kept, values.data(), tokens.data());
    summaries[row].best.clear();
    for (std::size_t i = 0; i < values.size(); ++i) {
      summaries[row].best.push_back({values[i], tokens[i]});
    }
  }
}

void Backend::logits_of(std::size_t row, std::span<float> logits) {
  const auto vocabulary = static_cast<std::ptrdiff_t>(vocab_size());
  std::copy_n(logits_.begin() + static_cast<std::ptrdiff_t>(row) * vocabulary, vocabulary,
              logits.begin());
}

}  // namespace kobolt
