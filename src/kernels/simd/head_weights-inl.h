// No #pragma once: foreach_target includes this once for each target.
#if defined(KOBOLT_KERNELS_HEAD_WEIGHTS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef KOBOLT_KERNELS_HEAD_WEIGHTS_INL_H_
#undef KOBOLT_KERNELS_HEAD_WEIGHTS_INL_H_
#else
#define KOBOLT_KERNELS_HEAD_WEIGHTS_INL_H_
#endif

#include <algorithm>
#include <cstdint>
#include <limits>

#include "hwy/highway.h"
#include "kernels/head_attention.h"
#include "kernels/simd/panel-inl.h"
#include "kernels/simd/row_groups-inl.h"

// From the scores of a head to its rounded weights.
HWY_BEFORE_NAMESPACE();
namespace kobolt::kernels::HWY_NAMESPACE {
#if KOBOLT_SIMD_TARGET
namespace {
namespace rows {

/// Rows of scores [.., length], padded with -infinity to whole panels and then with kPanel floats
/// of any value.
struct Scores {
  float* data;
  std::ptrdiff_t ld;
  int length;
};

/// The largest score of each row, a vector a row.
HWY_INLINE void largest_scores(const Scores& scores, int count, Partial<float>& most) {
  const Tag tag;
  for (int r = 0; r < count; ++r) {
    const float* x = scores.data + r * scores.ld;
    auto best = hn::LoadU(tag, x);
    for (int i = kLanes; i < padded(scores.length); i += kLanes) {
      best = larger(hn::LoadU(tag, x + i), best);
    }
    hn::Store(best, tag, most.of_row[r]);
  }
}

/// What the powers of a group of rows take, one lane a row: 2^(factor * max(x - most, floor)).
struct PowerRows {
  alignas(64) float most[kLanes];
  alignas(64) float floor[kLanes];
  alignas(64) float factor[kLanes];
};

/// The powers of each row in place, and their sums, a vector a row. Nothing is above the largest
/// score, and below the floor, where weights are 0 however they are rounded, are only numbers that
/// would be too small.
HWY_INLINE void powers(const Scores& scores, int count, const PowerRows& of, Partial<float>& sums) {
  const Tag tag;
  // 2^f with a relative error below 3e-6 for |f| <= 1/2, an eighth of what rounding to 15 bits adds
  constexpr float kPower[] = {1.0F, 0.6931242F, 0.24024099F, 0.055906426F, 0.009582853F};
  // The integer that the shift leaves in the lowest bits is added to the exponent of the rest's
  // power.
  const auto shifter = hn::Set(tag, kRoundingShift);
  for (int r = 0; r < count; ++r) {
    float* x = scores.data + r * scores.ld;
    const auto most = hn::Set(tag, of.most[r]);
    const auto floor = hn::Set(tag, of.floor[r]);
    const auto factor = hn::Set(tag, of.factor[r]);
    auto sum = hn::Zero(tag);
    for (int i = 0; i < padded(scores.length); i += kLanes) {
      const auto below = hn::Max(hn::Sub(hn::LoadU(tag, x + i), most), floor);
      const auto shifted = hn::MulAdd(below, factor, shifter);
      const auto fraction = hn::MulSub(below, factor, hn::Sub(shifted, shifter));
      const auto power =
          hn::BitCast(tag, hn::Add(hn::BitCast(BitsTag(), polynomial(tag, fraction, kPower)),
                                   hn::ShiftLeft<23>(hn::BitCast(BitsTag(), shifted))));
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
      return rounded_pairs(hn::LoadU(tag, x + u), hn::LoadU(tag, x + half + u), limit);
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
  constexpr float kLog2E = 1.44269504F;
  constexpr float kLowest = -125.0F;  // whose power, halved, is still a normal number
  const auto add = [](auto a, auto b) { return hn::Add(a, b); };
  const std::ptrdiff_t half = pairs(scores.length);
  PowerRows of;
  alignas(64) float limits[kLanes];
  for (int begin = 0; begin < m; begin += kLanes) {
    const int count = std::min(kLanes, m - begin);
    const Scores group{scores.data + begin * scores.ld, scores.ld, scores.length};
    Partial<float> floats(count);
    Partial<std::int32_t> integers(count);
    largest_scores(group, count, floats);
    const auto most = reduce(tag, floats, [](auto a, auto b) { return larger(a, b); });
    // A factor of 0 would make NaN of -infinity.
    const auto factor = hn::MulAdd(hn::LoadU(tag, factors + begin), hn::Set(tag, scale * kLog2E),
                                   hn::Set(tag, 1e-30F));
    hn::Store(most, tag, of.most);
    hn::Store(factor, tag, of.factor);
    hn::Store(hn::Div(hn::Set(tag, kLowest), factor), tag, of.floor);
    powers(group, count, of, floats);
    const auto inverse = hn::Div(hn::Set(tag, 1.0F), reduce(tag, floats, add));
    const auto room = hn::Set(tag, weight_room_i16(scores.length));
    hn::Store(hn::Min(hn::Mul(room, inverse), hn::Set(tag, kWeightLimitI16)), tag, limits);
    round_powers<Products>(group, count, limits, out + begin * half, integers);
    const auto sum = hn::Max(reduce(BitsTag(), integers, add), hn::Set(BitsTag(), 1));
    hn::StoreU(hn::Div(hn::Set(tag, 1.0F), hn::ConvertTo(tag, sum)), tag, factors + begin);
  }
}

}  // namespace rows
}  // namespace
#endif  // KOBOLT_SIMD_TARGET
}  // namespace kobolt::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
