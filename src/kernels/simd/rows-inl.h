// No #pragma once: foreach_target includes this once for each target.
#if defined(KOBOLT_KERNELS_ROWS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef KOBOLT_KERNELS_ROWS_INL_H_
#undef KOBOLT_KERNELS_ROWS_INL_H_
#else
#define KOBOLT_KERNELS_ROWS_INL_H_
#endif

#include <algorithm>
#include <cmath>
#include <cstddef>
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

/// How many rows ahead of its use the start of a row is fetched, where rows are parts of longer
/// ones: no prefetcher of the hardware follows their distance.
constexpr int kRowsAhead = 8;
/// Asks for the first floats of a row, as many as a head usually has.
HWY_INLINE void fetch(const float* x, int n) {
  constexpr int kLine = 16;
  for (int i = 0; i < n && i < 4 * kLine; i += kLine) __builtin_prefetch(x + i);
}

/// The first n lanes, zeros after them. Reads nothing beyond.
template <class D = Tag>
HWY_INLINE hn::Vec<D> load_first(const float* x, int n, D d = D()) {
#if HWY_ARCH_X86
  return hn::MaskedLoad(hn::FirstN(d, static_cast<std::size_t>(n)), d, x);
#else
  float first[hn::MaxLanes(D())] = {};
  std::copy_n(x, n, first);
  return hn::LoadU(d, first);
#endif
}

/// Stores the first n lanes; writes nothing beyond.
template <class D = Tag>
HWY_INLINE void store_first(hn::Vec<D> values, float* x, int n, D d = D()) {
#if HWY_ARCH_X86
  hn::BlendedStore(values, hn::FirstN(d, static_cast<std::size_t>(n)), d, x);
#else
  float first[hn::MaxLanes(D())];
  hn::StoreU(values, d, first);
  std::copy_n(first, n, x);
#endif
}

/// The same for n up to all lanes. Whole vectors are not masked: what is stored under a mask has to
/// reach the cache before it can be loaded again.
template <class D = Tag>
HWY_INLINE hn::Vec<D> load_some(const float* x, int n, D d = D()) {
  return n == static_cast<int>(hn::MaxLanes(d)) ? hn::LoadU(d, x) : load_first(x, n, d);
}
template <class D = Tag>
HWY_INLINE void store_some(hn::Vec<D> values, float* x, int n, D d = D()) {
  if (n == static_cast<int>(hn::MaxLanes(d))) {
    hn::StoreU(values, d, x);
  } else {
    store_first(values, x, n, d);
  }
}

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

/// The larger value of each lane; NaN in `value` counts as -infinity.
template <class V>
HWY_INLINE V larger(V value, V best) {
#if HWY_ARCH_X86
  return hn::Max(value, best);  // maxps returns its second operand where one is NaN
#else
  return hn::IfThenElse(hn::Gt(value, best), value, best);
#endif
}

/// The largest value; NaN counts as -infinity, because no comparison with it holds.
HWY_INLINE float largest(const float* x, int n) {
  const Tag tag;
  constexpr int kChains = 4;  // cover the latency of a comparison
  float result = -std::numeric_limits<float>::infinity();
  hn::Vec<Tag> best[kChains];
#pragma GCC unroll 4
  for (int c = 0; c < kChains; ++c) best[c] = hn::Set(tag, result);
  int i = 0;
  for (; i + kChains * kLanes <= n; i += kChains * kLanes) {
#pragma GCC unroll 4
    for (int c = 0; c < kChains; ++c) best[c] = larger(hn::LoadU(tag, x + i + c * kLanes), best[c]);
  }
  for (; i + kLanes <= n; i += kLanes) best[0] = larger(hn::LoadU(tag, x + i), best[0]);
  best[0] = larger(larger(best[0], best[1]), larger(best[2], best[3]));
  result = hn::GetLane(hn::MaxOfLanes(tag, best[0]));
  for (; i < n; ++i) {
    if (x[i] > result) result = x[i];
  }
  return result;
}

/// x = e^(scale * (x - largest)) in place, scale > 0. Returns one over their sum, which makes them
/// the softmax; 0 for a row of -infinity, which becomes zeros.
HWY_INLINE float exponentials(float* x, int n, float scale) {
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
  if (i < n) {
    const auto rest = hn::FirstN(tag, static_cast<std::size_t>(n - i));
    const auto value = hn::MaskedLoad(rest, tag, x + i);
    const auto power =
        hn::IfThenElseZero(rest, exp(tag, hn::Mul(hn::Sub(value, shift_v), scale_v)));
    hn::BlendedStore(power, rest, tag, x + i);
    sum_v = hn::Add(sum_v, power);
  }
  const float total = hn::GetLane(hn::SumOfLanes(tag, sum_v));
  return total > 0.0F ? 1.0F / total : 0.0F;
}

/// x *= factor
HWY_INLINE void multiply(float* x, int n, float factor) {
  const Tag tag;
  int i = 0;
  for (; i + kLanes <= n; i += kLanes) {
    hn::StoreU(hn::Mul(hn::LoadU(tag, x + i), hn::Set(tag, factor)), tag, x + i);
  }
  for (; i < n; ++i) x[i] *= factor;
}

/// x = softmax(scale * x) in place, scale > 0; a row of -infinity becomes zeros.
HWY_INLINE void softmax_row(float* x, int n, float scale) {
  multiply(x, n, exponentials(x, n, scale));
}

}  // namespace rows
}  // namespace
#endif  // KOBOLT_SIMD_TARGET
}  // namespace kobolt::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
