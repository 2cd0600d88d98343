// No #pragma once: foreach_target includes this once for each target.
#if defined(KOBOLT_KERNELS_ROWS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef KOBOLT_KERNELS_ROWS_INL_H_
#undef KOBOLT_KERNELS_ROWS_INL_H_
#else
#define KOBOLT_KERNELS_ROWS_INL_H_
#endif

#include <cmath>
#include <limits>

#include "hwy/highway.h"
#include "kernels/simd/math-inl.h"

// Reductions over one row of floats, and the softmax made of them.
HWY_BEFORE_NAMESPACE();
namespace kobolt::kernels::HWY_NAMESPACE {
#if KOBOLT_SIMD_TARGET
namespace {
namespace rows {

namespace hn = hwy::HWY_NAMESPACE;

using Tag = hn::CappedTag<float, 16>;
constexpr int kLanes = static_cast<int>(hn::MaxLanes(Tag()));

/// Two chains of additions cover the latency of one.
HWY_INLINE float sum(const float* x, int n) {
  const Tag tag;
  auto a = hn::Zero(tag);
  auto b = hn::Zero(tag);
  int i = 0;
  for (; i + 2 * kLanes <= n; i += 2 * kLanes) {
    a = hn::Add(a, hn::LoadU(tag, x + i));
    b = hn::Add(b, hn::LoadU(tag, x + i + kLanes));
  }
  float total = hn::GetLane(hn::SumOfLanes(tag, hn::Add(a, b)));
  for (; i < n; ++i) total += x[i];
  return total;
}

/// The largest value; NaN counts as -infinity, because no comparison with it holds.
HWY_INLINE float largest(const float* x, int n) {
  const Tag tag;
  float result = -std::numeric_limits<float>::infinity();
  auto best = hn::Set(tag, result);
  int i = 0;
  for (; i + kLanes <= n; i += kLanes) {
    const auto value = hn::LoadU(tag, x + i);
    best = hn::IfThenElse(hn::Gt(value, best), value, best);
  }
  result = hn::GetLane(hn::MaxOfLanes(tag, best));
  for (; i < n; ++i) {
    if (x[i] > result) result = x[i];
  }
  return result;
}

/// x = softmax(scale * x) in place, scale > 0; a row of -infinity becomes zeros.
HWY_INLINE void softmax_row(float* x, int n, float scale) {
  const Tag tag;
  const float most = largest(x, n);
  const float shift = most == -std::numeric_limits<float>::infinity() ? 0.0F : most;
  const auto shift_v = hn::Set(tag, shift);
  const auto scale_v = hn::Set(tag, scale);
  auto sum_v = hn::Zero(tag);
  int i = 0;
  for (; i + kLanes <= n; i += kLanes) {
    const auto power = exp(tag, hn::Mul(hn::Sub(hn::LoadU(tag, x + i), shift_v), scale_v));
    hn::StoreU(power, tag, x + i);
    sum_v = hn::Add(sum_v, power);
  }
  float total = hn::GetLane(hn::SumOfLanes(tag, sum_v));
  for (; i < n; ++i) {
    x[i] = std::exp((x[i] - shift) * scale);
    total += x[i];
  }
  const float inverse = total > 0.0F ? 1.0F / total : 0.0F;
  const auto inverse_v = hn::Set(tag, inverse);
  for (i = 0; i + kLanes <= n; i += kLanes) {
    hn::StoreU(hn::Mul(hn::LoadU(tag, x + i), inverse_v), tag, x + i);
  }
  for (; i < n; ++i) x[i] *= inverse;
}

}  // namespace rows
}  // namespace
#endif  // KOBOLT_SIMD_TARGET
}  // namespace kobolt::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
