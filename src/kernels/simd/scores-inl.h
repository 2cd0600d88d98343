// No #pragma once: foreach_target includes this once for each target.
#if defined(KOBOLT_KERNELS_SCORES_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef KOBOLT_KERNELS_SCORES_INL_H_
#undef KOBOLT_KERNELS_SCORES_INL_H_
#else
#define KOBOLT_KERNELS_SCORES_INL_H_
#endif

#include <algorithm>
#include <limits>

#include "hwy/highway.h"
#include "kernels/kernels.h"
#include "kernels/simd/math-inl.h"
#include "kernels/simd/row_groups-inl.h"
#include "kernels/simd/rows-inl.h"

// From scores to weights, which are powers of two but for a factor of each row.
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
  const int length = padded(scores.length);
  for (int r = 0; r < count; ++r) {
    const float* x = scores.data + r * scores.ld;
    auto best = hn::LoadU(tag, x);
    auto other = best;  // two chains cover the latency of one
    int i = kLanes;
    for (; i + kLanes < length; i += 2 * kLanes) {
      best = larger(hn::LoadU(tag, x + i), best);
      other = larger(hn::LoadU(tag, x + i + kLanes), other);
    }
    if (i < length) best = larger(hn::LoadU(tag, x + i), best);
    hn::Store(larger(other, best), tag, most.of_row[r]);
  }
}

/// What the powers of a group of rows take, one lane a row.
struct PowerRows {
  alignas(64) float most[kLanes];
  alignas(64) float floor[kLanes];
  alignas(64) float factor[kLanes];
};

/// For e^(factors[row] * scale * (x - the largest of its row)); reads kLanes factors.
HWY_INLINE void prepare_powers(const Scores& scores, int count, const float* factors, float scale,
                               PowerRows& of) {
  const Tag tag;
  constexpr float kLog2E = 1.44269504F;
  constexpr float kLowest = -125.0F;  // whose power, halved, is still a normal number
  Partial<float> partial(count);
  largest_scores(scores, count, partial);
  const auto most = reduce(tag, partial, count, [](auto a, auto b) { return larger(a, b); });
  // A factor of 0 would make NaN of -infinity.
  const auto factor =
      hn::MulAdd(hn::LoadU(tag, factors), hn::Set(tag, scale * kLog2E), hn::Set(tag, 1e-30F));
  hn::Store(most, tag, of.most);
  hn::Store(factor, tag, of.factor);
  hn::Store(hn::Div(hn::Set(tag, kLowest), factor), tag, of.floor);
}

/// Scores of m rows become e^(scale * (x - the largest of its row)) in place, scale > 0, and
/// `inverses`, in whole groups of kLanes, one over their sums: 0 for a row of -infinity. What is no
/// number counts as -infinity.
HWY_INLINE void weigh(const Scores& scores, int m, float scale, float* inverses) {
  const Tag tag;
  const int length = padded(scores.length);
  constexpr float kLowest = -std::numeric_limits<float>::infinity();
  alignas(64) float ones[kLanes];
  std::fill_n(ones, kLanes, 1.0F);
  PowerRows of;
  for (int begin = 0; begin < m; begin += kLanes) {
    const int count = std::min(kLanes, m - begin);
    const Scores group{scores.data + begin * scores.ld, scores.ld, scores.length};
    prepare_powers(group, count, ones, scale, of);
    Partial<float> sums(count);
    for (int r = 0; r < count; ++r) {
      float* x = group.data + r * group.ld;
      const auto most = hn::Set(tag, of.most[r]);
      const auto floor = hn::Set(tag, of.floor[r]);
      const auto factor = hn::Set(tag, of.factor[r]);
      auto sum = hn::Zero(tag);
      const auto take = [&]<std::size_t kCount>(int i, Several<Tag, kCount> powers) {
#pragma GCC unroll 4
        for (std::size_t c = 0; c < kCount; ++c) {
          const auto value = hn::LoadU(tag, x + i + static_cast<int>(c) * kLanes);
          powers[c] = hn::Mul(larger(hn::Sub(value, most), floor), factor);
        }
        exp2_within(tag, powers);
#pragma GCC unroll 4
        for (std::size_t c = 0; c < kCount; ++c) {
          hn::StoreU(powers[c], tag, x + i + static_cast<int>(c) * kLanes);
          sum = hn::Add(sum, powers[c]);
        }
      };
      int i = 0;
      for (; i + kTogether * kLanes <= length; i += kTogether * kLanes) {
        take(i, Several<Tag, kTogether>());
      }
      for (; i < length; i += kLanes) take(i, Several<Tag, 1>());
      hn::Store(sum, tag, sums.of_row[r]);
    }
    const auto total = reduce(tag, sums, count, [](auto a, auto b) { return hn::Add(a, b); });
    const auto nothing = hn::Eq(hn::Load(tag, of.most), hn::Set(tag, kLowest));
    hn::StoreU(hn::IfThenZeroElse(nothing, hn::Div(hn::Set(tag, 1.0F), total)), tag,
               inverses + begin);
  }
}

}  // namespace rows
}  // namespace
#endif  // KOBOLT_SIMD_TARGET
}  // namespace kobolt::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
