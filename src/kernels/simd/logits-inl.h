// No #pragma once: foreach_target includes this once for each target.
#if defined(KOBOLT_KERNELS_LOGITS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef KOBOLT_KERNELS_LOGITS_INL_H_
#undef KOBOLT_KERNELS_LOGITS_INL_H_
#else
#define KOBOLT_KERNELS_LOGITS_INL_H_
#endif

#include <bit>
#include <cstring>
#include <limits>

#include "hwy/highway.h"
#include "kernels/logit_sink.h"
#include "kernels/simd/math-inl.h"
#include "kernels/simd/panel-inl.h"

// Logits that are taken as a tile leaves them. Most are below the best of their row and near the
// shift of their lane: a comparison, and an exponential that is added.
HWY_BEFORE_NAMESPACE();
namespace kobolt::kernels::HWY_NAMESPACE {
#if KOBOLT_SIMD_TARGET
namespace {
namespace logits {

using gemm::FloatTag;
using gemm::kLanes;
using V = hn::Vec<FloatTag>;

/// Some logits are far above the shift of their lane, which they replace.
[[maybe_unused]] HWY_NOINLINE void raise_shifts(const LogitSink& sink, std::ptrdiff_t lane,
                                                V logit) {
  const FloatTag tag;
  const V shift = hn::LoadU(tag, sink.shifts + lane);
  const auto far = hn::Gt(logit, hn::Add(shift, hn::Set(tag, kLogitRoom)));
  const V next = hn::IfThenElse(far, logit, shift);
  const V scale = hn::IfThenElse(far, exp(tag, hn::Sub(shift, next)), hn::Set(tag, 1.0F));
  hn::StoreU(hn::Mul(hn::LoadU(tag, sink.sums + lane), scale), tag, sink.sums + lane);
  hn::StoreU(next, tag, sink.shifts + lane);
}

/// Some logits of a row are above their bounds. `counted`: lanes that are columns of the matrix.
[[maybe_unused]] HWY_NOINLINE void take_notable(const LogitSink& sink, int row, int column, V logit,
                                                hn::Mask<FloatTag> counted) {
  const FloatTag tag;
  const std::ptrdiff_t lane = static_cast<std::ptrdiff_t>(row) * kPanel + column % kPanel;
  const V room = hn::Set(tag, kLogitRoom);
  const auto far = hn::Gt(logit, hn::Add(hn::LoadU(tag, sink.shifts + lane), room));
  if (HWY_UNLIKELY(!hn::AllFalse(tag, far))) raise_shifts(sink, lane, logit);

  TopKHeap& best = sink.best[row];
  const auto below = hn::Lt(logit, hn::Set(tag, sink.threshold(row)));
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
  const V most = hn::Add(hn::LoadU(tag, sink.shifts + lane), room);
  hn::StoreU(hn::Min(hn::Set(tag, sink.threshold(row)), most), tag, sink.bounds + lane);
}

/// Takes a vector of columns of kCount rows.
template <int kCount>
HWY_INLINE void take_rows(const LogitSink& sink, int row, int column,
                          const Several<FloatTag, kCount>& logit, hn::Mask<FloatTag> counted) {
  const FloatTag tag;
  const std::ptrdiff_t lane = static_cast<std::ptrdiff_t>(row) * kPanel + column % kPanel;
  const auto above = [&](int r) {  // NaN is below nothing
    return hn::Not(hn::Lt(logit[r], hn::LoadU(tag, sink.bounds + lane + r * kPanel)));
  };
  auto notable = above(0);
#pragma GCC unroll 4
  for (int r = 1; r < kCount; ++r) notable = hn::Or(notable, above(r));
  if (HWY_UNLIKELY(!hn::AllFalse(tag, notable))) {
    for (int r = 0; r < kCount; ++r) {
      if (!hn::AllFalse(tag, above(r))) take_notable(sink, row + r, column, logit[r], counted);
    }
  }
  Several<FloatTag, kCount> power;
#pragma GCC unroll 4
  for (int r = 0; r < kCount; ++r) {
    // A lane of nothing but -infinity has no shift yet, and -infinity less that is no number.
    const V shift = hn::Max(hn::LoadU(tag, sink.shifts + lane + r * kPanel),
                            hn::Set(tag, std::numeric_limits<float>::lowest()));
    power[r] = hn::Max(hn::Sub(logit[r], shift), hn::Set(tag, kLeastExponent));
  }
  exp_within(tag, power);
#pragma GCC unroll 4
  for (int r = 0; r < kCount; ++r) {
    float* sums = sink.sums + lane + r * kPanel;
    hn::StoreU(hn::Add(hn::LoadU(tag, sums), power[r]), tag, sums);
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
  int r = 0;
  for (; r + kTogether <= rows; r += kTogether) {
    Several<FloatTag, kTogether> logit;
#pragma GCC unroll 4
    for (int c = 0; c < kTogether; ++c) logit[c] = logit_of(r + c);
    take_rows<kTogether>(sink, row + r, column, logit, counted);
  }
  for (; r < rows; ++r) {
    const Several<FloatTag, 1> logit(logit_of(r));
    take_rows<1>(sink, row + r, column, logit, counted);
  }
}

}  // namespace logits
}  // namespace
#endif  // KOBOLT_SIMD_TARGET
}  // namespace kobolt::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
