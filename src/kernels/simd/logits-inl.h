// No #pragma once: foreach_target includes this once for each target.
#if defined(KOBOLT_KERNELS_LOGITS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef KOBOLT_KERNELS_LOGITS_INL_H_
#undef KOBOLT_KERNELS_LOGITS_INL_H_
#else
#define KOBOLT_KERNELS_LOGITS_INL_H_
#endif

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <utility>

#include "hwy/highway.h"
#include "kernels/logit_sink.h"
#include "kernels/simd/math-inl.h"
#include "kernels/simd/panel-inl.h"

// Logits that are taken as a tile leaves them. Most are below the best of their row and near its
// shift: a comparison, and a power that is added.
HWY_BEFORE_NAMESPACE();
namespace kobolt::kernels::HWY_NAMESPACE {
#if KOBOLT_SIMD_TARGET
namespace {
namespace logits {

using gemm::FloatTag;
using gemm::kLanes;
using V = hn::Vec<FloatTag>;

/// Some logits are far above the shift of their row, which the largest of them replaces.
[[maybe_unused]] HWY_NOINLINE void raise_shift(const LogitSink& sink, int row, V logit) {
  const FloatTag tag;
  const float next = LogitSink::shift_of(hn::GetLane(hn::MaxOfLanes(tag, logit)));
  const V scale = hn::Set(tag, std::exp2(sink.shifts[row] - next));
  float* sums = sink.sums + static_cast<std::ptrdiff_t>(row) * kPanel;
  for (int lane = 0; lane < kPanel; lane += kLanes) {
    hn::StoreU(hn::Mul(hn::LoadU(tag, sums + lane), scale), tag, sums + lane);
  }
  sink.shifts[row] = next;
}

/// Some logits of a row are above its bound. `counted`: lanes that are columns of the matrix.
[[maybe_unused]] HWY_NOINLINE void take_notable(const LogitSink& sink, int row, int column, V logit,
                                                hn::Mask<FloatTag> counted) {
  const FloatTag tag;
  const auto far = hn::Gt(logit, hn::Set(tag, sink.far_above(row)));
  if (HWY_UNLIKELY(!hn::AllFalse(tag, far))) raise_shift(sink, row, logit);

  TopKHeap& best = sink.best[row];
  const auto below = hn::Lt(logit, hn::Set(tag, sink.threshold(row)));  // NaN is below nothing
  std::uint8_t bytes[8] = {};
  hn::StoreMaskBits(tag, hn::AndNot(below, counted), bytes);
  std::uint32_t bits;
  std::memcpy(&bits, bytes, sizeof(bits));
  float values[kLanes];
  hn::StoreU(logit, tag, values);
  for (; bits != 0; bits &= bits - 1) {
    const int at = std::countr_zero(bits);
    best.offer(values[at], sink.first + column + at);
  }
  sink.set_bound(row);
}

/// Lanes of `so_far` whose logit is below a bound. NaN is below nothing.
HWY_INLINE hn::Mask<FloatTag> below(hn::Mask<FloatTag> so_far, V logit, const float* bound) {
  // As an integer: a broadcast of floats to 512 bits also takes a unit that computes (Zen 4).
  std::int32_t bits;
  std::memcpy(&bits, bound, sizeof(bits));
  const V bounds = hn::BitCast(FloatTag(), hn::Set(gemm::IntTag(), bits));
#if HWY_TARGET == HWY_AVX3
  // One instruction; Highway's operators would be two.
  return {_mm512_mask_cmp_ps_mask(so_far.raw, logit.raw, bounds.raw, _CMP_LT_OQ)};
#else
  return hn::And(so_far, hn::Lt(logit, bounds));
#endif
}

/// Adds the powers of logits, a vector of columns of some rows.
template <class... Logits>
HWY_INLINE void add(const LogitSink& sink, int row, int column, Logits... logits) {
  const FloatTag tag;
  constexpr int kCount = sizeof...(logits);
  constexpr int kStep = std::min(kCount, kTogether);
  const V logit[kCount] = {logits...};
  const float* shifts = sink.shifts + row;
  float* sums = sink.sums + static_cast<std::ptrdiff_t>(row) * kPanel + column % kPanel;
#pragma GCC unroll 2
  for (int begin = 0; begin < kCount; begin += kStep) {
    Several<FloatTag, kStep> power;
#pragma GCC unroll 4
    for (int c = 0; c < kStep; ++c) {
      const V shift = hn::Set(tag, shifts[begin + c]);
      const V above = hn::MulSub(logit[begin + c], hn::Set(tag, kLog2E), shift);
      power[c] = hn::Max(above, hn::Set(tag, kLeastPower));
    }
    exp2_within(tag, power);
#pragma GCC unroll 4
    for (int c = 0; c < kStep; ++c, sums += kPanel) {
      hn::StoreU(hn::Add(hn::LoadU(tag, sums), power[c]), tag, sums);
    }
  }
}

/// Takes logits of which some are notable, and does all that is to be done with them: where they
/// were used after the call, GCC would store all others, too.
template <class... Logits>
HWY_NOINLINE void take_notable_rows(const LogitSink& sink, int row, int column,
                                    hn::Mask<FloatTag> counted, Logits... logits) {
  const auto take = [&](int r, V logit) {
    const FloatTag tag;
    const auto all = hn::FirstN(tag, kLanes);
    if (hn::AllTrue(tag, below(all, logit, sink.bounds + r))) return;
    take_notable(sink, r, column, logit, counted);
  };
  int r = row;
  (take(r++, logits), ...);
  add(sink, row, column, logits...);
}

/// Takes logits, a vector of columns of some rows.
template <class... Logits>
HWY_INLINE void take_logits(const LogitSink& sink, int row, int column, hn::Mask<FloatTag> counted,
                            Logits... logits) {
  const FloatTag tag;
  // In two chains: each comparison waits for the one before it.
  hn::Mask<FloatTag> so_far[2] = {hn::FirstN(tag, kLanes), hn::FirstN(tag, kLanes)};
  int r = 0;
  const auto compare = [&](V logit) {
    so_far[r % 2] = below(so_far[r % 2], logit, sink.bounds + row + r);
    ++r;
  };
  (compare(logits), ...);
  if (HWY_LIKELY(hn::AllTrue(tag, hn::And(so_far[0], so_far[1])))) {
    add(sink, row, column, logits...);
  } else {
    take_notable_rows(sink, row, column, counted, logits...);
  }
}

/// Takes a vector of columns of some rows: value_of(r) is that of row + r.
template <bool kWhole, class ValueOf>
HWY_INLINE void take(const LogitSink& sink, int row, int rows, int column, int n,
                     const ValueOf& value_of) {
  const FloatTag tag;
  const auto counted = hn::FirstN(tag, static_cast<std::size_t>(std::clamp(n - column, 0, kLanes)));
  const auto logit_of = [&](int r) {
    if constexpr (kWhole) return value_of(r);
    return hn::IfThenElse(counted, value_of(r),
                          hn::Set(tag, -std::numeric_limits<float>::infinity()));
  };
  int at = 0;
  const auto take_next = [&]<std::size_t... kRow>(std::index_sequence<kRow...>) {
    take_logits(sink, row + at, column, counted, logit_of(at + static_cast<int>(kRow))...);
    at += static_cast<int>(sizeof...(kRow));
  };
  // Up to eight rows: while some are converted or added to, others multiply.
  if constexpr (kTogether > 2) {
    while (at + 8 <= rows) take_next(std::make_index_sequence<8>());
    if (at + 4 <= rows) take_next(std::make_index_sequence<4>());
    if (at + 2 <= rows) take_next(std::make_index_sequence<2>());
  } else {
    while (at + 2 <= rows) take_next(std::make_index_sequence<2>());
  }
  if (at < rows) take_next(std::make_index_sequence<1>());
}

}  // namespace logits
}  // namespace
#endif  // KOBOLT_SIMD_TARGET
}  // namespace kobolt::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
