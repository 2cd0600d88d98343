#include "quantize/activation_histogram.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace kobolt {

bool ActivationHistogram::add(std::span<const float> values) {
  if (values.empty()) return true;
  float low = values.front();
  float high = values.front();
  bool finite = true;
  for (const float x : values) {
    finite = finite && std::abs(x) <= std::numeric_limits<float>::max();  // false for NaN too
    low = std::min(low, x);
    high = std::max(high, x);
  }
  if (!finite) return false;
  min_ = total_ == 0 ? low : std::min(min_, low);
  max_ = total_ == 0 ? high : std::max(max_, high);
  total_ += values.size();
  const double top = largest();
  if (top >= range_ && top > 0) {
    int exponent = 0;
    std::frexp(top, &exponent);  // top = m * 2^exponent with m in [0.5, 1)
    grow(std::ldexp(1.0, exponent));
  }
  const double bins_per_unit =
      range_ > 0 ? kBins / range_ : 0;  // a power of two: products are exact
  for (const float x : values) {
    ++counts_[static_cast<std::size_t>(std::abs(static_cast<double>(x)) * bins_per_unit)];
  }
  return true;
}

float ActivationHistogram::largest() const { return std::max(std::abs(min_), std::abs(max_)); }

std::span<const std::uint64_t> ActivationHistogram::counts() const {
  const std::size_t last =
      range_ > 0 ? static_cast<std::size_t>(static_cast<double>(largest()) / width()) : 0;
  return std::span(counts_).first(last + 1);
}

void ActivationHistogram::grow(double range) {
  // Zeros alone are in bin 0 whatever the range.
  if (range_ > 0) {
    const double ratio = range / range_;
    for (std::size_t i = 1; i < kBins; ++i) {
      const auto bin = static_cast<std::size_t>(static_cast<double>(i) / ratio);
      const std::uint64_t count = counts_[i];
      counts_[i] = 0;
      counts_[bin] += count;
    }
  }
  range_ = range;
}

}  // namespace kobolt
