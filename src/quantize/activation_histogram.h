#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace kobolt {

/// How often which magnitudes occur among numbers that come in any order and in any range. The
/// bins are equally wide over [0, 2^e), the smallest power of two above the largest |x|, so when
/// the range grows, neighbouring bins are joined and nothing is lost: the result depends on the
/// numbers alone. At least half of the bins lie below the largest |x|.
class ActivationHistogram {
 public:
  static constexpr std::size_t kBins = 2048;

  /// Returns false, and counts nothing, where any of them is not a finite number.
  bool add(std::span<const float> values);

  [[nodiscard]] float min() const { return min_; }  ///< 0 while there is nothing
  [[nodiscard]] float max() const { return max_; }
  [[nodiscard]] float largest() const;  ///< |x|
  [[nodiscard]] std::uint64_t total() const { return total_; }
  /// Up to the bin of the largest |x|: 1025 to 2048 of them, or 1 where all are zero.
  [[nodiscard]] std::span<const std::uint64_t> counts() const;
  /// Of a bin; 0 where all numbers are zero.
  [[nodiscard]] double width() const { return range_ / kBins; }

 private:
  void grow(double range);

  std::array<std::uint64_t, kBins> counts_{};
  double range_ = 0;  // 2^e; 0 until a number other than zero was seen
  float min_ = 0;
  float max_ = 0;
  std::uint64_t total_ = 0;
};

}  // namespace kobolt
