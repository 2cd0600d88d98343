// No #pragma once: foreach_target includes this once for each target.
#if defined(KOBOLT_KERNELS_ROW_GROUPS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef KOBOLT_KERNELS_ROW_GROUPS_INL_H_
#undef KOBOLT_KERNELS_ROW_GROUPS_INL_H_
#else
#define KOBOLT_KERNELS_ROW_GROUPS_INL_H_
#endif

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "hwy/highway.h"
#include "kernels/kernels.h"
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

/// Vectors [kLanes][kLanes], one a row, on their way to reduce().
template <class T>
struct alignas(64) Partial {
  /// For a group of `count` rows: zeros for those that are missing.
  explicit Partial(int count) {
    if (count < kLanes)
      std::memset(of_row[count], 0, sizeof(of_row[0]) * static_cast<std::size_t>(kLanes - count));
  }
  T of_row[kLanes][kLanes];
};

/// Lane i of the result is all lanes of vector i joined.
template <class D, int kCount = kLanes, class Join>
HWY_INLINE hn::Vec<D> reduce(D d, hn::Vec<D> (&rows)[kLanes], const Join& join) {
  if constexpr (kCount == 1) {
    return rows[0];
  } else {
#pragma GCC unroll 8
    for (int i = 0; i < kCount / 2; ++i) {
      const auto low = rows[2 * i];
      const auto high = rows[2 * i + 1];
      rows[i] = join(hn::ConcatEven(d, high, low), hn::ConcatOdd(d, high, low));
    }
    return reduce<D, kCount / 2>(d, rows, join);
  }
}
template <class D, class Join>
HWY_INLINE hn::Vec<D> reduce(D d, const Partial<hn::TFromD<D>>& partial, const Join& join) {
  hn::Vec<D> rows[kLanes];
#pragma GCC unroll 16
  for (int i = 0; i < kLanes; ++i) rows[i] = hn::Load(d, partial.of_row[i]);
  return reduce(d, rows, join);
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

/// Pairs of int16, `first` in the lower halves: both times factor, rounded.
HWY_INLINE hn::Vec<BitsTag> rounded_pairs(hn::Vec<Tag> first, hn::Vec<Tag> second,
                                          hn::Vec<Tag> factor) {
  const Tag tag;
  const hn::Repartition<std::int16_t, Tag> halves;
  // As rounded_product(), of whose sum the lower 16 bits are the integer's.
  const auto shifter = hn::Set(tag, kRoundingShift);
  const auto low = hn::BitCast(BitsTag(), hn::MulAdd(first, factor, shifter));
  const auto high = hn::BitCast(BitsTag(), hn::MulAdd(second, factor, shifter));
  return hn::BitCast(BitsTag(), hn::OddEven(hn::BitCast(halves, hn::ShiftLeft<16>(high)),
                                            hn::BitCast(halves, low)));
}

/// Rounds rows x [m, k] to +-limit with a scale each, as quantize_rows() does, in pairs
/// [m][pairs(k)]. Pair u of a row is of its values u and pairs(k) + u, so that both are loaded as
/// they lie. Writes up to kLanes pairs beyond the last row, and scales for whole groups of kLanes
/// rows, 0 for those that are missing.
HWY_NOINLINE void quantize_pairs(const float* x, std::ptrdiff_t ld, int m, int k, float limit,
                                 std::int32_t* out, float* scales) {
  const Tag tag;
  const auto larger_bits = [](auto a, auto b) { return hn::Max(a, b); };
  const int half = pairs(k);
  alignas(64) float inverses[kLanes];
  for (int begin = 0; begin < m; begin += kLanes) {
    const int count = std::min(kLanes, m - begin);
    const float* group = x + begin * ld;
    Partial<std::int32_t> magnitudes(count);
    for (int r = 0; r < count; ++r) {
      const float* in = group + r * ld;
      fetch(in + kRowsAhead * ld, k);
      auto largest = hn::Zero(BitsTag());
      int i = 0;
      for (; i + kLanes <= k; i += kLanes) {
        largest = hn::Max(largest, magnitude_bits(hn::LoadU(tag, in + i)));
      }
      if (i < k) {
        const auto rest = load_first(in + i, k - i);
        largest = hn::Max(largest, magnitude_bits(rest));
      }
      hn::Store(largest, BitsTag(), magnitudes.of_row[r]);
    }
    const Rounding rounding = rounding_of(reduce(BitsTag(), magnitudes, larger_bits), limit);
    hn::StoreU(rounding.scale, tag, scales + begin);
    hn::Store(rounding.inverse, tag, inverses);
    for (int r = 0; r < count; ++r) {
      const float* in = group + r * ld;
      std::int32_t* to = out + static_cast<std::ptrdiff_t>(begin + r) * half;
      const auto inverse = hn::Set(tag, inverses[r]);
      int u = 0;
      for (; half + u + kLanes <= k; u += kLanes) {
        hn::StoreU(rounded_pairs(hn::LoadU(tag, in + u), hn::LoadU(tag, in + half + u), inverse),
                   BitsTag(), to + u);
      }
      if (u < half) {
        const auto first = load_first(in + u, half - u);
        const auto second = load_first(in + half + u, k - half - u);
        hn::StoreU(rounded_pairs(first, second, inverse), BitsTag(), to + u);
      }
    }
  }
}

}  // namespace rows
}  // namespace
#endif  // KOBOLT_SIMD_TARGET
}  // namespace kobolt::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
