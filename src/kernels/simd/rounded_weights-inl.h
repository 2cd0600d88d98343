// No #pragma once: foreach_target includes this once for each target.
#if defined(KOBOLT_KERNELS_ROUNDED_WEIGHTS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef KOBOLT_KERNELS_ROUNDED_WEIGHTS_INL_H_
#undef KOBOLT_KERNELS_ROUNDED_WEIGHTS_INL_H_
#else
#define KOBOLT_KERNELS_ROUNDED_WEIGHTS_INL_H_
#endif

#include <algorithm>
#include <cstdint>
#include <limits>

#include "hwy/highway.h"
#include "kernels/bytes.h"
#include "kernels/head_attention.h"
#include "kernels/simd/panel-inl.h"
#include "kernels/simd/quads-inl.h"
#include "kernels/simd/row_groups-inl.h"
#include "kernels/simd/scores-inl.h"

// From scores to rounded weights.
HWY_BEFORE_NAMESPACE();
namespace kobolt::kernels::HWY_NAMESPACE {
#if KOBOLT_SIMD_TARGET
namespace {
namespace rows {

/// 2^(factor * max(x - most, floor)) of one row. Nothing is above the largest score; below the
/// floor weights are 0 however they are rounded.
struct Power {
  Power(const PowerRows& of, int row)
      : most(hn::Set(Tag(), of.most[row])),
        floor(hn::Set(Tag(), of.floor[row])),
        factor(hn::Set(Tag(), of.factor[row])) {}

  HWY_INLINE hn::Vec<Tag> operator()(hn::Vec<Tag> x) const {
    const Tag tag;
    // 2^f with a relative error below 3e-6 for |f| <= 1/2, an eighth of what rounding to 15 bits
    // adds
    constexpr float kPower[] = {1.0F, 0.6931242F, 0.24024099F, 0.055906426F, 0.009582853F};
    // The integer that the shift leaves in the lowest bits is added to the exponent of the rest's
    // power.
    const auto shifter = hn::Set(tag, kRoundingShift);
    const auto below = hn::Max(hn::Sub(x, most), floor);
    const auto shifted = hn::MulAdd(below, factor, shifter);
    const auto fraction = hn::MulSub(below, factor, hn::Sub(shifted, shifter));
    return hn::BitCast(tag, hn::Add(hn::BitCast(BitsTag(), polynomial(tag, fraction, kPower)),
                                    hn::ShiftLeft<23>(hn::BitCast(BitsTag(), shifted))));
  }

  hn::Vec<Tag> most;
  hn::Vec<Tag> floor;
  hn::Vec<Tag> factor;
};

/// The powers of each row in place, and their sums, a vector a row.
HWY_INLINE void powers(const Scores& scores, int count, const PowerRows& of, Partial<float>& sums) {
  const Tag tag;
  for (int r = 0; r < count; ++r) {
    float* x = scores.data + r * scores.ld;
    const Power power_of(of, r);
    auto sum = hn::Zero(tag);
    for (int i = 0; i < padded(scores.length); i += kLanes) {
      const auto power = power_of(hn::LoadU(tag, x + i));
      hn::StoreU(power, tag, x + i);
      sum = hn::Add(sum, power);
    }
    hn::Store(sum, tag, sums.of_row[r]);
  }
}

/// Rounds each row times its limit to pairs [count][pairs(length)]: pair u is of positions u and
/// pairs(length) + u. Sums of the rounded ones, a vector a row.
template <class Products>
HWY_INLINE void round_powers(const Scores& scores, int count, const float* limits,
                             std::int32_t* out, Partial<std::int32_t>& sums) {
  const Tag tag;
  const gemm::PairTag pair_tag;
  const int half = pairs(scores.length);
  const int whole = half / kLanes * kLanes;
  const auto rest = hn::FirstN(BitsTag(), static_cast<std::size_t>(half - whole));
  const auto ones = hn::Set(pair_tag, 1);
  for (int r = 0; r < count; ++r) {
    const float* x = scores.data + r * scores.ld;
    std::int32_t* to = out + static_cast<std::ptrdiff_t>(r) * half;
    const auto limit = hn::Set(tag, limits[r]);
    const auto rounded = [&](int u) {
      Several<Tag, 2> parts;
      parts[0] = hn::LoadU(tag, x + u);
      parts[1] = hn::LoadU(tag, x + half + u);
      return rounded_unit(parts, limit);
    };
    auto sum = hn::Zero(BitsTag());
    const auto take = [&](hn::Vec<BitsTag> words, int u) {
      hn::StoreU(words, BitsTag(), to + u);
      Products::add(ones, gemm::pair_order(hn::BitCast(pair_tag, words)), sum);
    };
    for (int u = 0; u < whole; u += kLanes) take(rounded(u), u);
    if (whole < half) take(hn::IfThenElseZero(rest, rounded(whole)), whole);
    hn::Store(sum, BitsTag(), sums.of_row[r]);
  }
}

/// Rounded weights of m rows, e^(factors[row] * scale * x), in pairs as round_powers() writes them.
/// One over the sum of a row takes the place of its factor: together they are weights of 1. Factors
/// are read and written for whole groups of kLanes rows.
template <class Products>
HWY_INLINE void round_weights(const Scores& scores, int m, float scale, std::int32_t* out,
                              float* factors) {
  const Tag tag;
  const auto add = [](auto a, auto b) { return hn::Add(a, b); };
  const std::ptrdiff_t half = pairs(scores.length);
  PowerRows of;
  alignas(64) float limits[kLanes];
  for (int begin = 0; begin < m; begin += kLanes) {
    const int count = std::min(kLanes, m - begin);
    const Scores group{scores.data + begin * scores.ld, scores.ld, scores.length};
    prepare_powers(group, count, factors + begin, scale, of);
    Partial<float> floats(count);
    powers(group, count, of, floats);
    const auto inverse = hn::Div(hn::Set(tag, 1.0F), reduce(tag, floats, count, add));
    const auto room = hn::Set(tag, weight_room_i16(scores.length));
    hn::Store(hn::Min(hn::Mul(room, inverse), hn::Set(tag, kWeightLimitI16)), tag, limits);
    Partial<std::int32_t> integers(count);
    round_powers<Products>(group, count, limits, out + begin * half, integers);
    const auto sum = hn::Max(reduce(BitsTag(), integers, count, add), hn::Set(BitsTag(), 1));
    hn::StoreU(hn::Div(hn::Set(tag, 1.0F), hn::ConvertTo(tag, sum)), tag, factors + begin);
  }
}

/// The same, rounded to 0..limit, in rows `ldo` apart of neighbouring positions. A row is written
/// up to two vectors beyond its end.
HWY_INLINE void round_weights_in_order(const Scores& scores, int m, float scale, float limit,
                                       std::int16_t* out, std::ptrdiff_t ldo, float* factors) {
  const Tag tag;
  const hn::Repartition<std::int16_t, Tag> halves;
  const auto limit_v = hn::Set(tag, limit);
  const auto shifter = hn::Set(tag, kRoundingShift);  // as in rounded_unit()
  const int length = padded(scores.length);
  PowerRows of;
  for (int begin = 0; begin < m; begin += kLanes) {
    const int count = std::min(kLanes, m - begin);
    const Scores group{scores.data + begin * scores.ld, scores.ld, scores.length};
    prepare_powers(group, count, factors + begin, scale, of);
    Partial<float> sums(count);
    for (int r = 0; r < count; ++r) {
      const float* x = group.data + r * group.ld;
      std::int16_t* to = out + (begin + r) * ldo;
      const Power power_of(of, r);
      auto sum = hn::Zero(tag);
      for (int i = 0; i < length; i += 2 * kLanes) {
        const auto first = power_of(hn::LoadU(tag, x + i));
        const auto second =
            i + kLanes < length ? power_of(hn::LoadU(tag, x + i + kLanes)) : hn::Zero(tag);
        const auto low = hn::BitCast(halves, hn::MulAdd(first, limit_v, shifter));
        const auto high = hn::BitCast(halves, hn::MulAdd(second, limit_v, shifter));
        hn::StoreU(hn::ConcatEven(halves, high, low), halves, to + i);
        sum = hn::Add(sum, hn::Add(first, second));
      }
      hn::Store(sum, tag, sums.of_row[r]);
    }
    // The largest power is 1, and its weight `limit`.
    const auto total = reduce(tag, sums, count, [](auto a, auto b) { return hn::Add(a, b); });
    hn::StoreU(hn::Div(hn::Set(tag, 1.0F), hn::Mul(total, limit_v)), tag, factors + begin);
  }
}

#if HWY_TARGET == HWY_AVX3

/// 2^(factor * x + offset) of four vectors together, with a relative error below 1.1e-4, a
/// twentieth of what rounding to 8 bits adds; 2^-30 for all that is below.
HWY_INLINE void coarse_powers(Several<Tag, 4>& x, hn::Vec<Tag> factor, hn::Vec<Tag> offset) {
  const Tag tag;
  constexpr float kPower[] = {1.0F, 0.69328293F, 0.24221098F, 0.05500893F};
  const auto shifter = hn::Set(tag, kRoundingShift);
  Several<Tag, 4> fraction;
  Several<Tag, 4> shifted;
  Several<Tag, 4> power;
#pragma GCC unroll 4
  for (std::size_t c = 0; c < 4; ++c) {
    const auto exponent = hn::Max(hn::MulAdd(x[c], factor, offset), hn::Set(tag, -30.0F));
    shifted[c] = hn::Add(exponent, shifter);
    fraction[c] = hn::Sub(exponent, hn::Sub(shifted[c], shifter));
  }
  polynomial(tag, fraction, kPower, power);
#pragma GCC unroll 4
  for (std::size_t c = 0; c < 4; ++c) {
    x[c] = hn::BitCast(tag, hn::Add(hn::BitCast(BitsTag(), power[c]),
                                    hn::ShiftLeft<23>(hn::BitCast(BitsTag(), shifted[c]))));
  }
}

/// round_weights() to bytes, 0..kWeightLimitU8, in quads [m][quads(length)]: quad u is of positions
/// u, quads(length) + u and so on.
HWY_INLINE void round_weights_u8(const Scores& scores, int m, float scale, std::int32_t* out,
                                 float* factors) {
  const Tag tag;
  const std::ptrdiff_t width = quads(scores.length);
  const std::ptrdiff_t whole = width / kLanes * kLanes;
  const auto rest = hn::FirstN(BitsTag(), static_cast<std::size_t>(width - whole));
  const auto limit = hn::Set(tag, kWeightLimitU8);
  PowerRows of;
  for (int begin = 0; begin < m; begin += kLanes) {
    const int count = std::min(kLanes, m - begin);
    const Scores group{scores.data + begin * scores.ld, scores.ld, scores.length};
    prepare_powers(group, count, factors + begin, scale, of);
    Partial<std::int32_t> sums(count);
    for (int r = 0; r < count; ++r) {
      const float* x = group.data + r * group.ld;
      std::int32_t* to = out + (begin + r) * width;
      const auto factor = hn::Set(tag, of.factor[r]);
      const auto offset = hn::Set(tag, -of.factor[r] * of.most[r]);
      const auto rounded = [&](std::ptrdiff_t u) {
        Several<Tag, 4> parts;
#pragma GCC unroll 4
        for (std::ptrdiff_t part = 0; part < 4; ++part) {
          parts[static_cast<std::size_t>(part)] = hn::LoadU(tag, x + part * width + u);
        }
        coarse_powers(parts, factor, offset);
        return rounded_unit(parts, limit);
      };
      auto sum = hn::Zero(BitsTag());
      for (std::ptrdiff_t u = 0; u < whole; u += kLanes) {
        const auto weights = rounded(u);
        hn::StoreU(weights, BitsTag(), to + u);
        multiply_bytes(weights, ones(), sum);
      }
      if (whole < width) {
        const auto weights = hn::IfThenElseZero(rest, rounded(whole));
        hn::StoreU(weights, BitsTag(), to + whole);
        multiply_bytes(weights, ones(), sum);
      }
      hn::Store(sum, BitsTag(), sums.of_row[r]);
    }
    // The largest weight is at least 1, but for what is no number.
    const auto sum =
        hn::Max(reduce(BitsTag(), sums, count, [](auto a, auto b) { return hn::Add(a, b); }),
                hn::Set(BitsTag(), 1));
    hn::StoreU(hn::Div(hn::Set(tag, 1.0F), hn::ConvertTo(tag, sum)), tag, factors + begin);
  }
}

#endif  // HWY_AVX3

}  // namespace rows
}  // namespace
#endif  // KOBOLT_SIMD_TARGET
}  // namespace kobolt::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
