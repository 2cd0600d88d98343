#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

namespace kobolt {

struct BootstrapOptions {
  int samples = 1000;  ///< 0: the bounds are the mean
  double confidence = 0.95;
  std::uint64_t seed = 0;
};

struct MeanInterval {
  double low = 0;
  double mean = 0;  ///< or the value of a statistic of means
  double high = 0;
};

/// Mean of each column and its percentile bootstrap interval over rows. `values` is row-major,
/// [rows, columns], with at least one row.
///
/// A sample draws as many rows as there are, with replacement: row floor(u * rows / 2^64) for each
/// u of a std::mt19937_64 that starts at `seed`; all columns share the draw. Bounds are
/// percentiles of the sample means with linear interpolation, as numpy.percentile gives them.
std::vector<MeanInterval> bootstrap_means(std::span<const double> values, std::size_t columns,
                                          const BootstrapOptions& options);

/// Writes values that follow from the means of the columns: differences, ratios.
using MeanStatistic = std::function<void(std::span<const double> means, std::span<double> values)>;

/// The same for `count` values of a statistic: the value on the data, and the interval of its
/// values on the samples.
std::vector<MeanInterval> bootstrap_statistic(std::span<const double> values, std::size_t columns,
                                              std::size_t count, const MeanStatistic& statistic,
                                              const BootstrapOptions& options);

}  // namespace kobolt
