#include "quantize/clip.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

namespace kobolt {
namespace {

using Counts = std::span<const std::uint64_t>;

// int8 without its sign has 128 levels, 0 to 127. Clips of fewer bins than levels are not tried.
constexpr std::size_t kLevels = 128;

/// Sums over the first bins of a histogram: element i is of the bins [0, i).
class Prefix {
 public:
  template <typename Function>
  Prefix(Counts counts, Function of) {
    sums_.reserve(counts.size() + 1);
    for (const std::uint64_t count : counts) sums_.push_back(sums_.back() + of(count));
  }
  [[nodiscard]] double between(std::size_t begin, std::size_t end) const {
    return sums_[end] - sums_[begin];
  }

 private:
  std::vector<double> sums_{0};
};

double x_log_x(double x) { return x > 0 ? x * std::log(x) : 0; }

/// The Kullback-Leibler divergence of the histogram, all beyond `bins` added to the last bin, from
/// what 128 levels make of its first `bins` bins, spread evenly over those that are not empty.
class Divergence {
 public:
  explicit Divergence(Counts counts)
      : counts_(counts),
        sum_(counts, [](std::uint64_t c) { return static_cast<double>(c); }),
        occupied_(counts, [](std::uint64_t c) { return c > 0 ? 1.0 : 0.0; }),
        entropy_(counts, [](std::uint64_t c) { return x_log_x(static_cast<double>(c)); }) {}

  /// Infinite where the last bin is empty but for what was added.
  [[nodiscard]] double at(std::size_t bins) const {
    const double total = sum_.between(0, counts_.size());
    const double inside = sum_.between(0, bins);
    const double outside = total - inside;
    const auto last = static_cast<double>(counts_[bins - 1]);
    if (inside == 0 || (last == 0 && outside > 0)) return std::numeric_limits<double>::infinity();
    // sum(p log p) - sum(p log q) with p = c / total and q = level / occupied / inside
    const double own = entropy_.between(0, bins - 1) + x_log_x(last + outside);
    double cross = 0;
    for (std::size_t level = 0; level < kLevels; ++level) {
      const std::size_t begin = level * bins / kLevels;
      const std::size_t end = (level + 1) * bins / kLevels;
      const double level_sum = sum_.between(begin, end);
      if (level_sum == 0) continue;
      const double reference = end == bins ? level_sum + outside : level_sum;
      cross += reference * std::log(level_sum / occupied_.between(begin, end));
    }
    return (own - cross) / total - std::log(total / inside);
  }

 private:
  Counts counts_;
  Prefix sum_;
  Prefix occupied_;
  Prefix entropy_;
};

/// The mean squared error of magnitudes at the middles of their bins, stored in steps of clip /
/// 127.
double squared_error(Counts counts, double width, double clip) {
  const double step = clip / 127;
  double error = 0;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    const double x = (static_cast<double>(i) + 0.5) * width;
    const double stored = step * std::min(std::nearbyint(x / step), 127.0);
    error += static_cast<double>(counts[i]) * (x - stored) * (x - stored);
  }
  return error;
}

/// The number of bins, from 128 to all, of smallest cost; the least of them where costs are equal.
template <typename Cost>
std::size_t cheapest(std::size_t most, Cost cost) {
  std::size_t best = most;
  double best_cost = std::numeric_limits<double>::infinity();
  for (std::size_t bins = std::min(kLevels, most); bins <= most; ++bins) {
    const double one = cost(bins);
    if (one < best_cost) {
      best_cost = one;
      best = bins;
    }
  }
  return best;
}

std::size_t percentile_bins(Counts counts, std::uint64_t total, double percentile) {
  const double needed = static_cast<double>(total) * (percentile / 100);
  std::uint64_t below = 0;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    below += counts[i];
    if (static_cast<double>(below) >= needed) return i + 1;
  }
  return counts.size();
}

double clip_by(const ActivationHistogram& histogram, CalibrationMethod method, double percentile) {
  const double largest = histogram.largest();
  const Counts counts = histogram.counts();
  const double width = histogram.width();
  const auto edge = [&](std::size_t bins) {
    return std::min(static_cast<double>(bins) * width, largest);
  };
  switch (method) {
    case CalibrationMethod::minmax:
      return largest;
    case CalibrationMethod::entropy: {
      const Divergence divergence(counts);
      return edge(cheapest(counts.size(), [&](std::size_t bins) { return divergence.at(bins); }));
    }
    case CalibrationMethod::percentile:
      return edge(percentile_bins(counts, histogram.total(), percentile));
    case CalibrationMethod::mse:
      return edge(cheapest(counts.size(), [&](std::size_t bins) {
        return squared_error(counts, width, edge(bins));
      }));
  }
  return largest;
}

}  // namespace

float clip_of(const ActivationHistogram& histogram, CalibrationMethod method, double percentile) {
  if (histogram.largest() == 0) return 1;
  return std::max(static_cast<float>(clip_by(histogram, method, percentile)), kSmallestClip);
}

}  // namespace kobolt
