// No #pragma once: foreach_target includes this once for each target.
#if defined(KOBOLT_KERNELS_ROW_GROUPS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef KOBOLT_KERNELS_ROW_GROUPS_INL_H_
#undef KOBOLT_KERNELS_ROW_GROUPS_INL_H_
#else
#define KOBOLT_KERNELS_ROW_GROUPS_INL_H_
#endif

#include <algorithm>
#include <cstdint>

#include "hwy/highway.h"
#include "kernels/simd/math-inl.h"
#include "kernels/simd/rows-inl.h"

// Work on as many short rows at once as a vector has lanes: what a row is reduced to, its scale and
// its divisions are then one lane of a vector for all of them.
HWY_BEFORE_NAMESPACE();
namespace kobolt::kernels::HWY_NAMESPACE {
#if KOBOLT_SIMD_TARGET
namespace {
namespace rows {

using BitsTag = hn::RebindToSigned<Tag>;

/// Rows that reduce() takes for a group of `count`: few ones take fewer steps.
constexpr int reduced_rows(int count) {
  int rows = std::min(4, kLanes);
  while (rows < count) rows *= 2;
  return rows;
}

/// Vectors [kLanes][kLanes], one a row, on their way to reduce().
template <class T>
struct alignas(64) Partial {
  /// For a group of `count` rows: zeros for what reduce() reads of those that are missing.
  explicit Partial(int count) {
    for (int i = count; i < reduced_rows(count); ++i)
      hn::Store(hn::Zero(LaneTag()), LaneTag(), of_row[i]);
  }
  using LaneTag = hn::Rebind<T, Tag>;
  T of_row[kLanes][kLanes];
};

/// Lane i of the result is all lanes of vector i joined, of kRows vectors.
template <int kRows, class D, class Join>
HWY_INLINE hn::Vec<D> reduce_rows(D d, const hn::TFromD<D> (&rows)[kLanes][kLanes],
                                  const Join& join) {
  hn::Vec<D> joined[kRows];
#pragma GCC unroll 16
  for (int i = 0; i < kRows; ++i) joined[i] = hn::Load(d, rows[i]);
  const auto halve = [&](auto low, auto high) {
    return join(hn::ConcatEven(d, high, low), hn::ConcatOdd(d, high, low));
  };
#pragma GCC unroll 4
  for (int count = kRows / 2; count > 0; count /= 2) {
#pragma GCC unroll 8
    for (int i = 0; i < count; ++i) joined[i] = halve(joined[2 * i], joined[2 * i + 1]);
  }
#pragma GCC unroll 4
  for (int lanes = kLanes / kRows; lanes > 1; lanes /= 2) joined[0] = halve(joined[0], joined[0]);
  return joined[0];
}

/// The same of a group of `count` rows; the lanes of those that are missing have any value.
template <class D, class Join>
HWY_INLINE hn::Vec<D> reduce(D d, const Partial<hn::TFromD<D>>& partial, int count,
                             const Join& join) {
  if constexpr (kLanes > 4) {
    if (count <= 4) return reduce_rows<4>(d, partial.of_row, join);
  }
  if constexpr (kLanes > 8) {
    if (count <= 8) return reduce_rows<8>(d, partial.of_row, join);
  }
  return reduce_rows<kLanes>(d, partial.of_row, join);
}

/// Bits of a magnitude: they compare like the magnitudes, and what is no number is above all that
/// are.
HWY_INLINE hn::Vec<BitsTag> magnitude_bits(hn::Vec<Tag> x) {
  return hn::And(hn::BitCast(BitsTag(), x), hn::Set(BitsTag(), 0x7FFFFFFF));
}

/// How values are rounded to integers: x ~ scale * round(x * inverse).
struct Rounding {
  hn::Vec<Tag> scale;
  hn::Vec<Tag> inverse;
};

/// The rounding whose largest integer is `limit`, given the bits of the largest magnitude.
HWY_INLINE Rounding rounding_of(hn::Vec<BitsTag> largest_bits, float limit) {
  constexpr float kSmallestMagnitude = 1e-30F;  // as the scalar twin
  const Tag tag;
  const auto limit_v = hn::Set(tag, limit);
  const auto largest = hn::BitCast(tag, largest_bits);
  const auto finite = hn::RebindMask(tag, hn::Lt(largest_bits, hn::Set(BitsTag(), 0x7F800000)));
  const auto usable = hn::Ge(largest, hn::Set(tag, kSmallestMagnitude));  // not of NaN
  const auto scale = hn::IfThenElseZero(usable, hn::Div(largest, limit_v));
  return {hn::IfThenElse(finite, scale, hn::NaN(tag)),
          hn::IfThenElseZero(usable, hn::Div(limit_v, largest))};
}

/// Lanes of 32 bits with a value of each part, the first one lowest: times factor, rounded.
HWY_INLINE hn::Vec<BitsTag> rounded_unit(const Several<Tag, 2>& parts, hn::Vec<Tag> factor) {
  const Tag tag;
  const hn::Repartition<std::int16_t, Tag> halves;
  // As rounded_product(), of whose sum the lower 16 bits are the integer's.
  const auto shifter = hn::Set(tag, kRoundingShift);
  const auto low = hn::BitCast(BitsTag(), hn::MulAdd(parts[0], factor, shifter));
  const auto high = hn::BitCast(BitsTag(), hn::MulAdd(parts[1], factor, shifter));
  return hn::BitCast(BitsTag(), hn::OddEven(hn::BitCast(halves, hn::ShiftLeft<16>(high)),
                                            hn::BitCast(halves, low)));
}
HWY_INLINE hn::Vec<BitsTag> rounded_unit(const Several<Tag, 4>& parts, hn::Vec<Tag> factor) {
  const Tag tag;
  const hn::Repartition<std::int16_t, Tag> halves;
  const auto shifter = hn::Set(tag, kRoundingShift);
  const auto integer = [&](std::size_t part) {
    return hn::BitCast(halves, hn::MulAdd(parts[part], factor, shifter));
  };
  const auto lower = [&](std::size_t part) {  // and the part after the next one above it
    const auto high = hn::ShiftLeft<16>(hn::BitCast(BitsTag(), integer(part + 2)));
    return hn::OddEven(hn::BitCast(halves, high), integer(part));
  };
  const auto even = hn::And(lower(0), hn::Set(halves, 0xFF));
  return hn::BitCast(BitsTag(), hn::Or(even, hn::ShiftLeft<8>(lower(1))));
}

}  // namespace rows
}  // namespace
#endif  // KOBOLT_SIMD_TARGET
}  // namespace kobolt::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
