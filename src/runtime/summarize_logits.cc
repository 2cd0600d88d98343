#include <algorithm>

#include "kernels/top_k.h"
#include "runtime/executor.h"

namespace kobolt {
namespace {

// Panels whose products are looked at together: 512 columns of 64 rows are 128 KiB, inside L2.
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
  const auto heaps_size = rows_count * static_cast<std::size_t>(kept);
  const auto columns = static_cast<std::size_t>(chunks);
  if (observer_ != nullptr) observer_->before(operand, linear);
  quantize_if_needed(operand, linear);
  // As large as for the most rows, or each step with more beams than before would allocate.
  most_rows_ = std::max(most_rows_, rows_count);
  const auto most_kept = most_rows_ * static_cast<std::size_t>(kept);
  // A thread takes its parts in ascending order, so one heap a row serves it for all of them, and
  // its threshold soon lets nothing pass.
  const auto threads = static_cast<std::size_t>(pool_.threads());
  float* logits = reserve(part_logits_, threads * most_rows_ * kChunk);
  log_sums_.reserve(most_rows_ * columns);
  log_sums_.resize(rows_count * columns);
  best_values_.reserve(threads * most_kept);
  best_values_.resize(threads * heaps_size);
  best_tokens_.reserve(threads * most_kept);
  best_tokens_.resize(best_values_.size());
  best_counts_.reserve(threads * most_rows_);
  merged_.reserve(threads * static_cast<std::size_t>(kept));
  best_counts_.assign(threads * rows_count, 0);

  pool_.parallel_for(parts, [&](int part, int thread) {
    float* y = logits + static_cast<std::ptrdiff_t>(thread) * m * kChunk;
    const auto heap = [&](int row, int size) {
      const auto at = static_cast<std::size_t>(thread) * heaps_size +
                      static_cast<std::size_t>(row) * static_cast<std::size_t>(kept);
      return kernels::TopKHeap(kept, &best_values_[at], &best_tokens_[at], size);
    };
    int* sizes = &best_counts_[static_cast<std::size_t>(thread) * rows_count];
    for (int chunk = split(chunks, parts, part); chunk < split(chunks, parts, part + 1); ++chunk) {
      const int begin = chunk * kChunkPanels;
      const int end = std::min(begin + kChunkPanels, panels);
      const Linear slice = linear.slice(begin, end);
      multiply(operand, slice, {.y = y, .ldy = kChunk}, 0, m, 0, end - begin);
      for (int row = 0; row < m; ++row) {
        const float* x = y + static_cast<std::ptrdiff_t>(row) * kChunk;
        log_sums_[static_cast<std::size_t>(row) * columns + static_cast<std::size_t>(chunk)] =
            kernels::log_sum_exp(x, slice.n());
        kernels::TopKHeap best = heap(row, sizes[row]);
        kernels::top_k_add(x, slice.n(), begin * kernels::kPanel, best);
        sizes[row] = best.size();
      }
    }
  });

  for (int row = 0; row < m; ++row) {
    const auto index = static_cast<std::size_t>(row);
    LogitSummary& summary = summaries[index];
    summary.log_sum = kernels::log_sum_exp(&log_sums_[index * columns], chunks);
    merged_.clear();
    for (std::size_t thread = 0; thread < threads; ++thread) {
      const auto at = thread * heaps_size + index * static_cast<std::size_t>(kept);
      for (int i = 0; i < best_counts_[thread * rows_count + index]; ++i) {
        const auto place = at + static_cast<std::size_t>(i);
        merged_.push_back({best_values_[place], best_tokens_[place]});
      }
    }
    const auto size = std::min(merged_.size(), static_cast<std::size_t>(kept));
    const auto end = merged_.begin() + static_cast<std::ptrdiff_t>(size);
    std::partial_sort(merged_.begin(), end, merged_.end(), better);
    summary.best.assign(merged_.begin(), end);
  }
}

}  // namespace kobolt
