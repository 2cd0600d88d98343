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
  const auto same = [](std::span<const double> means, std::span<double> to) {
    std::copy(means.begin(), means.end(), to.begin());
  };
  return bootstrap_statistic(values, columns, columns, same, options);
}

std::vector<MeanInterval> bootstrap_statistic(std::span<const double> values, std::size_t columns,
                                              std::size_t count, const MeanStatistic& statistic,
                                              const BootstrapOptions& options) {
  const std::size_t rows = values.size() / columns;
  std::vector<double> means(columns);
  std::vector<double> result(count);
  const auto add_row = [&](std::size_t r) {
    for (std::size_t c = 0; c < columns; ++c) means[c] += values[r * columns + c];
  };
  const auto finish = [&] {
    for (double& mean : means) mean /= static_cast<double>(rows);
    statistic(means, result);
  };

  for (std::size_t r = 0; r < rows; ++r) add_row(r);
  finish();
  std::vector<MeanInterval> intervals;
  intervals.reserve(count);
  for (const double value : result)
    intervals.push_back({.low = value, .mean = value, .high = value});
  if (options.samples == 0) return intervals;

  const auto samples = static_cast<std::size_t>(options.samples);
  std::vector<std::vector<double>> found(count, std::vector<double>(samples));
  std::mt19937_64 random(options.seed);
  for (std::size_t s = 0; s < samples; ++s) {
    std::fill(means.begin(), means.end(), 0.0);
    for (std::size_t draw = 0; draw < rows; ++draw) add_row(scaled(random(), rows));
    finish();
    for (std::size_t i = 0; i < count; ++i) found[i][s] = result[i];
  }
  const double outside = (1 - options.confidence) / 2;
  for (std::size_t i = 0; i < count; ++i) {
    std::sort(found[i].begin(), found[i].end());
    intervals[i].low = percentile(found[i], outside);
    intervals[i].high = percentile(found[i], 1 - outside);
  }
  return intervals;
}

}  // namespace kobolt
