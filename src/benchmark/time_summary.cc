#include <algorithm>
#include <cmath>
#include <numeric>

#include "kobolt/benchmark.h"

namespace kobolt {
namespace {

double percentile_of(const std::vector<double>& sorted, double fraction) {
  const double rank = fraction * static_cast<double>(sorted.size() - 1);
  const auto low = static_cast<std::size_t>(rank);
  const std::size_t high = std::min(low + 1, sorted.size() - 1);
  return sorted[low] + (rank - static_cast<double>(low)) * (sorted[high] - sorted[low]);
}

}  // namespace

TimeSummary summarize_times(std::vector<double> times) {
  if (times.empty()) return {};
  std::ranges::sort(times);
  const auto count = static_cast<double>(times.size());
  const double average = std::accumulate(times.begin(), times.end(), 0.0) / count;
  double squares = 0;
  for (const double time : times) squares += (time - average) * (time - average);
  return {.count = times.size(),
          .average = average,
          .deviation = times.size() > 1 ? std::sqrt(squares / (count - 1)) : 0,
          .p50 = percentile_of(times, 0.50),
          .p90 = percentile_of(times, 0.90),
          .p95 = percentile_of(times, 0.95),
          .p99 = percentile_of(times, 0.99),
          .min = times.front(),
          .max = times.back()};
}

}  // namespace kobolt
