#include "runtime/backend.h"

#include <algorithm>

#include "kernels/kernels.h"
#include "kobolt/error.h"

namespace kobolt {

void summarize_row(std::span<const float> logits, int count, LogitSummary& summary) {
  const int size = static_cast<int>(logits.size());
  const int kept = std::min(count, size);
  std::vector<float> values(static_cast<std::size_t>(kept));
  std::vector<std::int32_t> tokens(values.size());
  summary.log_sum = kernels::log_sum_exp(logits.data(), size);
  kernels::top_k(logits.data(), size, kept, values.data(), tokens.data());
  summary.best.clear();
  for (std::size_t i = 0; i < values.size(); ++i) summary.best.push_back({values[i], tokens[i]});
}

void Backend::step_summary(std::span<const StepRow> rows, int count,
                           std::span<LogitSummary> summaries) {
  const auto vocabulary = static_cast<std::size_t>(vocab_size());
  logits_.resize(rows.size() * vocabulary);
  step(rows, logits_);
  for (std::size_t row = 0; row < rows.size(); ++row) {
    summarize_row(std::span(logits_).subspan(row * vocabulary, vocabulary), count, summaries[row]);
  }
}

void Backend::logits_of(std::size_t row, std::span<float> logits) {
  const auto vocabulary = static_cast<std::ptrdiff_t>(vocab_size());
  std::copy_n(logits_.begin() + static_cast<std::ptrdiff_t>(row) * vocabulary, vocabulary,
              logits.begin());
}

void Backend::encode_hidden(std::span<const std::vector<std::int32_t>> /*documents*/,
                            float* /*hidden*/) {
  throw Error(ErrorKind::unsupported, "this back end does not give away what its encoder computes");
}

}  // namespace kobolt
