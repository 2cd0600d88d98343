#include "evaluate/bootstrap.h"

#include <algorithm>
#include <cmath>
#include <random>

namespace kobolt {
namespace {

// floor(u * count / 2^64), in 64-bit pieces.
std::size_t scaled(std::uint64_t u, std::uint64_t count) {
  const std::uint64_t high = (u >> 32U) * count;
  const std::uint64_t low = (u & 0xFFFFFFFFU) * count;
  return static_cast<std::size_t>((high + (low >> 32U)) >> 32U);
}

// numpy.percentile of sorted values, `fraction` in [0, 1].
double percentile(std::span<const double> sorted, double fraction) {
  const double place = fraction * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<std::size_t>(std::floor(place));
  const std::size_t above = std::min(below + 1, sorted.size() - 1);
  const double part = place - static_cast<double>(below);
  const double difference = sorted[above] - sorted[below];
  // From the nearer end, so that the result never leaves the two values.
  return part < 0.5 ? sorted[below] + difference * part : sorted[above] - difference * (1 - part);
}

}  // namespace

std::vector<MeanInterval> bootstrap_means(std::span<const double> values, std::size_t columns,
                                          const BootstrapOptions& options) {
  const std::size_t rows = values.size() / columns;
  const auto count = static_cast<double>(rows);
  std::vector<MeanInterval> intervals(columns);
  for (std::size_t r = 0; r < rows; ++r) {
    for (std::size_t c = 0; c < columns; ++c) intervals[c].mean += values[r * columns + c];
  }
  for (MeanInterval& interval : intervals) {
    interval.mean /= count;
    interval.low = interval.high = interval.mean;
  }
  if (options.samples == 0) return intervals;

  const auto samples = static_cast<std::size_t>(options.samples);
  std::vector<std::vector<double>> means(columns, std::vector<double>(samples));
  std::mt19937_64 random(options.seed);
  std::vector<double> sum(columns);
  for (std::size_t s = 0; s < samples; ++s) {
    std::fill(sum.begin(), sum.end(), 0.0);
    for (std::size_t draw = 0; draw < rows; ++draw) {
      const double* row = values.data() + scaled(random(), rows) * columns;
      for (std::size_t c = 0; c < columns; ++c) sum[c] += row[c];
    }
    for (std::size_t c = 0; c < columns; ++c) means[c][s] = sum[c] / count;
  }
  const double outside = (1 - options.confidence) / 2;
  for (std::size_t c = 0; c < columns; ++c) {
    std::sort(means[c].begin(), means[c].end());
    intervals[c].low = percentile(means[c], outside);
    intervals[c].high = percentile(means[c], 1 - outside);
  }
  return intervals;
}

}  // namespace kobolt
