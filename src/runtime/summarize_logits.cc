#include <algorithm>
#include <atomic>

#include "kernels/logit_sink.h"
#include "runtime/executor.h"

namespace kobolt {
namespace {

// Panels of one product. Sums start anew with each, so they are the same however many threads share
// the columns.
constexpr int kChunkPanels = 32;
constexpr int kChunk = kChunkPanels * kernels::kPanel;

}  // namespace

void Executor::summarize(const Operand& operand, const Linear& linear, int count,
                         std::span<LogitSummary> summaries) {
  const int m = operand.m;
  const int n = linear.n();
  const int panels = kernels::panels(n);
  const int chunks = (panels + kChunkPanels - 1) / kChunkPanels;
  const int kept = std::min(count, n);
  const int parts = part_count(chunks, static_cast<std::int64_t>(m) * linear.k() * kChunk);
  const auto rows_count = static_cast<std::size_t>(m);
  if (observer_ != nullptr) observer_->before(operand, linear);
  quantize_if_needed(operand, linear);
  // As large as for the most rows, or each step with more beams than before would allocate.
  most_rows_ = std::max(most_rows_, rows_count);
  const auto most_kept = most_rows_ * static_cast<std::size_t>(kept);
  // A thread takes its parts in ascending order, so one heap a row serves it for all of them, and
  // its threshold soon lets nothing pass. The pool's own order is another, so parts are drawn here.
  const auto threads = static_cast<std::size_t>(pool_.threads());
  const std::size_t most_lanes = most_rows_ * kernels::kPanel;
  float* shifts = reserve(logit_shifts_, threads * most_rows_);
  float* sums = reserve(logit_sums_, threads * most_lanes);
  float* bounds = reserve(logit_bounds_, threads * most_rows_);
  const auto chunks_count = static_cast<std::size_t>(chunks);
  logit_parts_.reserve(most_rows_ * chunks_count);
  logit_parts_.resize(rows_count * chunks_count);  // [row][chunk]
  best_values_.reserve(threads * most_kept);
  best_values_.resize(threads * rows_count * static_cast<std::size_t>(kept));
  best_tokens_.reserve(threads * most_kept);
  best_tokens_.resize(best_values_.size());
  merged_.reserve(threads * static_cast<std::size_t>(kept));
  best_.reserve(threads * most_rows_);
  best_.clear();
  for (std::size_t i = 0; i < threads * rows_count; ++i) {
    const std::size_t at = i * static_cast<std::size_t>(kept);
    best_.emplace_back(kept, &best_values_[at], &best_tokens_[at]);
  }

  // One logit of each row is near enough to all others as their shift.
  float* first_logits = reserve(first_logits_, most_lanes + most_rows_);
  float* row_logits = first_logits + most_lanes;
  multiply(operand, linear.slice(0, 1), {.y = first_logits, .ldy = kernels::kPanel}, 0, m, 0, 1);
  for (std::ptrdiff_t row = 0; row < m; ++row) {
    const float* of_row = first_logits + row * kernels::kPanel;
    row_logits[row] = *std::max_element(of_row, of_row + std::min(n, kernels::kPanel));
  }

  const auto take = [&](int part, int thread) {
    const std::size_t first = static_cast<std::size_t>(thread) * rows_count;
    for (int chunk = split(chunks, parts, part); chunk < split(chunks, parts, part + 1); ++chunk) {
      const int begin = chunk * kChunkPanels;
      const int end = std::min(begin + kChunkPanels, panels);
      const kernels::LogitSink sink{.shifts = shifts + first,
                                    .sums = sums + first * kernels::kPanel,
                                    .bounds = bounds + first,
                                    .best = &best_[first],
                                    .first = begin * kernels::kPanel};
      sink.start(m, row_logits);
      multiply(operand, linear.slice(begin, end), {.sink = &sink}, 0, m, 0, end - begin);
      for (std::size_t row = 0; row < rows_count; ++row) {
        logit_parts_[row * chunks_count + static_cast<std::size_t>(chunk)] =
            sink.part(static_cast<std::ptrdiff_t>(row));
      }
    }
  };
  std::atomic<int> next{0};
  pool_.parallel_for(std::min(parts, pool_.threads()), [&](int /*task*/, int thread) {
    for (int part = next++; part < parts; part = next++) take(part, thread);
  });

  for (std::size_t row = 0; row < rows_count; ++row) {
    LogitSummary& summary = summaries[row];
    summary.log_sum = kernels::log_sum_of_parts(
        std::span(logit_parts_).subspan(row * chunks_count, chunks_count));
    merged_.clear();
    for (std::size_t thread = 0; thread < threads; ++thread) {
      const std::size_t which = thread * rows_count + row;
      const std::size_t at = which * static_cast<std::size_t>(kept);
      for (std::size_t i = at; i < at + static_cast<std::size_t>(best_[which].size()); ++i) {
        merged_.push_back({best_values_[i], best_tokens_[i]});
      }
    }
    const auto size = std::min(merged_.size(), static_cast<std::size_t>(kept));
    const auto end = merged_.begin() + static_cast<std::ptrdiff_t>(size);
    std::partial_sort(merged_.begin(), end, merged_.end(), better);
    summary.best.assign(merged_.begin(), end);
  }
}

}  // namespace kobolt
