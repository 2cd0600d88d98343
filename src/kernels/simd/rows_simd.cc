#include "kernels/simd/targets.h"
// Order matters: targets.h comes first, and foreach_target.h includes this file once a target.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/simd/rows_simd.cc"  // NOLINT
#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "kernels/round_product.h"
#include "kernels/simd/declarations-inl.h"
#include "kernels/simd/rows-inl.h"
#include "kernels/top_k.h"

HWY_BEFORE_NAMESPACE();
namespace kobolt::kernels::HWY_NAMESPACE {
#if KOBOLT_SIMD_TARGET
namespace {

using rows::kLanes;
using rows::Tag;
using V = hn::Vec<Tag>;

/// Largest magnitude of x; NaN where x has one, infinity included.
float largest_magnitude(const float* x, int n) {
  const Tag tag;
  const hn::RebindToUnsigned<Tag> bits;
  // Magnitudes compare like their bits, in which what is no number is above all that are.
  const auto magnitude = hn::Set(bits, 0x7FFFFFFFU);
  auto largest = hn::Zero(bits);
  int i = 0;
  for (; i + kLanes <= n; i += kLanes) {
    largest = hn::Max(largest, hn::And(hn::BitCast(bits, hn::LoadU(tag, x + i)), magnitude));
  }
  std::uint32_t most = hn::GetLane(hn::MaxOfLanes(bits, largest));
  for (; i < n; ++i) most = std::max(most, std::bit_cast<std::uint32_t>(std::abs(x[i])));
  constexpr std::uint32_t kInfinityBits = 0x7F800000U;
  return most < kInfinityBits ? std::bit_cast<float>(most)
                              : std::numeric_limits<float>::quiet_NaN();
}

void quantize_row(const float* x, int k, float inverse, std::int16_t* q) {
  const Tag tag;
  const hn::Rebind<std::int16_t, Tag> short_tag;
  const V factor = hn::Set(tag, inverse);
  int i = 0;
  for (; i + kLanes <= k; i += kLanes) {
    const auto rounded = rounded_product(tag, hn::LoadU(tag, x + i), factor);
    hn::StoreU(hn::DemoteTo(short_tag, rounded), short_tag, q + i);
  }
  for (; i < k; ++i) q[i] = static_cast<std::int16_t>(round_product(x[i], inverse));
}

}  // namespace

void quantize_rows(const float* x, std::ptrdiff_t ldx, int m, int k, std::int16_t* q,
                   std::ptrdiff_t ldq, float* scales) {
  constexpr float kSmallestMagnitude = 1e-30F;  // as the scalar twin
  const auto limit = static_cast<float>(activation_limit(k));
  for (int i = 0; i < m; ++i) {
    const float* in = x + i * ldx;
    std::int16_t* out = q + i * ldq;
    rows::fetch(in + rows::kRowsAhead * ldx, k);
    const float largest = largest_magnitude(in, k);
    if (largest >= kSmallestMagnitude) {
      scales[i] = largest / limit;
      quantize_row(in, k, limit / largest, out);
    } else {
      scales[i] = std::isnan(largest) ? largest : 0.0F;
      std::fill_n(out, k, std::int16_t{0});
    }
    std::fill(out + k, out + 2 * pairs(k), std::int16_t{0});
  }
}

void layer_norm(const float* x, std::ptrdiff_t ldx, int m, int d, const float* gamma,
                const float* beta, float epsilon, float* y, std::ptrdiff_t ldy) {
  const Tag tag;
  const auto size = static_cast<float>(d);
  for (int i = 0; i < m; ++i) {
    const float* in = x + i * ldx;
    float* out = y + i * ldy;
    const float mean = rows::sum(in, d) / size;
    const V mean_v = hn::Set(tag, mean);
    constexpr int kChains = 4;  // cover the latency of a multiply-add
    V squares_v[kChains];
#pragma GCC unroll 4
    for (V& chain : squares_v) chain = hn::Zero(tag);
    const auto add_square = [&](V& chain, const float* from) {
      const V centred = hn::Sub(hn::LoadU(tag, from), mean_v);
      chain = hn::MulAdd(centred, centred, chain);
    };
    int j = 0;
    for (; j + kChains * kLanes <= d; j += kChains * kLanes) {
#pragma GCC unroll 4
      for (int c = 0; c < kChains; ++c) add_square(squares_v[c], in + j + c * kLanes);
    }
    for (; j + kLanes <= d; j += kLanes) add_square(squares_v[0], in + j);
    const V total =
        hn::Add(hn::Add(squares_v[0], squares_v[1]), hn::Add(squares_v[2], squares_v[3]));
    float squares = hn::GetLane(hn::SumOfLanes(tag, total));
    for (; j < d; ++j) squares += (in[j] - mean) * (in[j] - mean);
    const float inverse = 1.0F / std::sqrt(squares / size + epsilon);
    const V inverse_v = hn::Set(tag, inverse);
    for (j = 0; j + kLanes <= d; j += kLanes) {
      const V centred = hn::Sub(hn::LoadU(tag, in + j), mean_v);
      const V scaled = hn::Mul(hn::Mul(centred, inverse_v), hn::LoadU(tag, gamma + j));
      hn::StoreU(hn::Add(scaled, hn::LoadU(tag, beta + j)), tag, out + j);
    }
    for (; j < d; ++j) out[j] = (in[j] - mean) * inverse * gamma[j] + beta[j];
  }
}

void add(const float* x, float* y, std::size_t count) {
  const Tag tag;
  std::size_t i = 0;
  for (; i + kLanes <= count; i += kLanes) {
    hn::StoreU(hn::Add(hn::LoadU(tag, x + i), hn::LoadU(tag, y + i)), tag, y + i);
  }
  for (; i < count; ++i) y[i] += x[i];
}

void activate(Activation activation, float* x, std::size_t count) {
  with_activation(activation, [&]<Activation kActivation>() {
    const Tag tag;
    constexpr std::size_t kStep = static_cast<std::size_t>(kTogether) * kLanes;
    const auto activate_at = [tag](float* at) {
      Several<Tag, kTogether> values;
#pragma GCC unroll 4
      for (int c = 0; c < kTogether; ++c) values[c] = hn::LoadU(tag, at + c * kLanes);
      activate_each<kActivation, Closeness::exact>(tag, values);
#pragma GCC unroll 4
      for (int c = 0; c < kTogether; ++c) hn::StoreU(values[c], tag, at + c * kLanes);
    };
    std::size_t i = 0;
    for (; i + kStep <= count; i += kStep) activate_at(x + i);
    if (i == count) return;
    float rest[kStep] = {};
    std::copy_n(x + i, count - i, rest);
    activate_at(rest);
    std::copy_n(rest, count - i, x + i);
  });
}

void softmax(float* x, std::ptrdiff_t ldx, int m, int n) {
  for (int i = 0; i < m; ++i) rows::softmax_row(x + i * ldx, n, 1.0F);
}

float log_sum_exp(const float* x, int n) {
  const float largest = rows::largest(x, n);
  if (largest == -std::numeric_limits<float>::infinity()) return largest;
  const Tag tag;
  const V shift = hn::Set(tag, largest);
  V sum = hn::Zero(tag);
  int i = 0;
  for (; i + kLanes <= n; i += kLanes) {
    sum = hn::Add(sum, exp(tag, hn::Sub(hn::LoadU(tag, x + i), shift)));
  }
  if (i < n) {
    const auto rest = hn::FirstN(tag, static_cast<std::size_t>(n - i));
    const V power = exp(tag, hn::Sub(hn::MaskedLoad(rest, tag, x + i), shift));
    sum = hn::Add(sum, hn::IfThenElseZero(rest, power));
  }
  return largest + std::log(hn::GetLane(hn::SumOfLanes(tag, sum)));
}

int argmax(const float* x, int n) {
  const float largest = rows::largest(x, n);
  // NaN counts as -infinity but does not compare equal to it.
  if (largest == -std::numeric_limits<float>::infinity()) return 0;
  const Tag tag;
  const V wanted = hn::Set(tag, largest);
  int i = 0;
  for (; i + kLanes <= n; i += kLanes) {
    const auto found = hn::FindFirstTrue(tag, hn::Eq(hn::LoadU(tag, x + i), wanted));
    if (found >= 0) return i + static_cast<int>(found);
  }
  for (; i < n; ++i) {
    if (x[i] == largest) return i;
  }
  return 0;  // not reached: largest is one of x
}

void top_k_add(const float* x, int n, std::int32_t first, TopKHeap& heap) {
  const Tag tag;
  int i = 0;
  for (; i < n && !heap.full(); ++i) heap.offer(x[i], first + i);
  // Most of a vocabulary is below the threshold: four vectors are passed over by one branch.
  constexpr int kStride = 4 * kLanes;
  for (; i + kStride <= n; i += kStride) {
    const V threshold = hn::Set(tag, heap.threshold());
    const auto above = [&](int at) { return hn::Gt(hn::LoadU(tag, x + at), threshold); };
    const auto any = hn::Or(hn::Or(above(i), above(i + kLanes)),
                            hn::Or(above(i + 2 * kLanes), above(i + 3 * kLanes)));
    if (HWY_LIKELY(hn::AllFalse(tag, any))) continue;  // NaN is above nothing
    for (int at = i; at < i + kStride; at += kLanes) {
      std::uint8_t bytes[8] = {};
      hn::StoreMaskBits(tag, above(at), bytes);
      std::uint32_t bits;
      std::memcpy(&bits, bytes, sizeof(bits));
      for (; bits != 0; bits &= bits - 1) {
        const int j = at + std::countr_zero(bits);
        heap.offer(x[j], first + j);
      }
    }
  }
  for (; i < n; ++i) heap.offer(x[i], first + i);
}

#endif  // KOBOLT_SIMD_TARGET
}  // namespace kobolt::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
