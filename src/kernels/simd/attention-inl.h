// No #pragma once: foreach_target includes this once for each target.
#if defined(KOBOLT_KERNELS_ATTENTION_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef KOBOLT_KERNELS_ATTENTION_INL_H_
#undef KOBOLT_KERNELS_ATTENTION_INL_H_
#else
#define KOBOLT_KERNELS_ATTENTION_INL_H_
#endif

#include <algorithm>
#include <limits>

#include "hwy/highway.h"
#include "kernels/kernel_table.h"
#include "kernels/simd/float_tiles-inl.h"
#include "kernels/simd/formats-inl.h"
#include "kernels/simd/gemm-inl.h"
#include "kernels/simd/row_groups-inl.h"
#include "kernels/simd/rows-inl.h"
#include "kernels/simd/scores-inl.h"

// Attention, whatever the number format of keys and values.
HWY_BEFORE_NAMESPACE();
namespace kobolt::kernels::HWY_NAMESPACE {
#if KOBOLT_SIMD_TARGET
namespace {

/// attend() with keys and values that lie where `Source` says.
template <class Units, class Source, class Packed>
HWY_INLINE void attend_from(const float* q, std::ptrdiff_t ldq, int m, const Packed& keys,
                            const Packed& values, float scale, float* out, std::ptrdiff_t ldo,
                            float* scratch) {
  const auto key_panels = gemm::panels_of<Units>(keys.data, keys.k, 0, panels(keys.n));
  const auto value_panels = gemm::panels_of<Units>(values.data, values.k, 0, panels(values.n));
  const rows::Scores scores{scratch, padded(keys.n), keys.n};
  alignas(64) float inverses[padded(kAttentionRows)];
  const gemm::EvenParts blocks(m, kAttentionRows);
  for (int block = 0; block < blocks.count(); ++block) {
    const std::ptrdiff_t begin = blocks.begin(block);
    const int count = blocks.size(block);
    multiply_units<Units, Source>(q + begin * ldq, ldq, count, key_panels, padded(keys.n),
                                  FloatKeyColumns{keys.n}, scores.data, scores.ld);
    rows::weigh(scores, count, scale, inverses);
    multiply_units<Units, Source>(scores.data, scores.ld, count, value_panels, values.n,
                                  FloatValueColumns{inverses}, out + begin * ldo, ldo);
  }
}

/// attention() with products of `Units`. What a softmax divides by, the few outputs are divided by.
template <class Units, class Packed>
HWY_INLINE void attend(const float* q, std::ptrdiff_t ldq, int m, const Packed& keys,
                       const Packed& values, float scale, float* out, std::ptrdiff_t ldo,
                       float* scratch) {
  if (keys.n == 0) {
    for (int i = 0; i < m; ++i) std::fill_n(out + i * ldo, values.n, 0.0F);
  } else if (m <= gemm::kTileRows) {  // the beams of a step, whose caches may be anywhere
    attend_from<Units, InMemory>(q, ldq, m, keys, values, scale, out, ldo, scratch);
  } else {
    attend_from<Units, InL2>(q, ldq, m, keys, values, scale, out, ldo, scratch);
  }
}

/// Asks for `width` values of a cached row: where the next one lies only its index says.
template <class Rows>
HWY_INLINE void fetch_row(const Rows& rows, std::int32_t index, std::ptrdiff_t width) {
  constexpr std::ptrdiff_t kLine = 64;
  const auto* begin = reinterpret_cast<const char*>(rows.row(index, 0));
  const auto* end = reinterpret_cast<const char*>(rows.row(index, width));
  for (; begin < end; begin += kLine) __builtin_prefetch(begin);
}

/// Scores of one query [length][heads]: the keys of all heads of a position are neighbours, and
/// what vectors of products are reduced to fills whole ones, however short the history. Fetches the
/// values, which are wanted next.
template <class Rows>
HWY_INLINE void score_heads(const float* q, const Rows& keys, const Rows& values,
                            const std::int32_t* indices, int length, int heads, int head_dim,
                            float* scores) {
  using rows::kLanes;
  const rows::Tag tag;
  const int whole = head_dim / kLanes * kLanes;
  const int total = length * heads;
  constexpr int kPositionsAhead = 4;
  const std::ptrdiff_t width = static_cast<std::ptrdiff_t>(heads) * head_dim;
  int position = 0;
  int head = 0;
  for (int p = 0; p < std::min(length, kPositionsAhead); ++p) fetch_row(keys, indices[p], width);
  for (int begin = 0; begin < total; begin += kLanes) {
    const int count = std::min(kLanes, total - begin);
    rows::Partial<float> products(count);
    alignas(64) float rest[kLanes] = {};
    for (int r = 0; r < count; ++r) {
      if (head == 0) {
        const int ahead = std::min(position + kPositionsAhead, length - 1);
        fetch_row(keys, indices[ahead], width);
        fetch_row(values, indices[position], width);
      }
      const std::ptrdiff_t at = static_cast<std::ptrdiff_t>(head) * head_dim;
      const auto key = keys.row(indices[position], at);
      auto sum = hn::Zero(tag);
      for (int d = 0; d < whole; d += kLanes) {
        sum = hn::MulAdd(hn::LoadU(tag, q + at + d), Rows::load(key + d), sum);
      }
      for (int d = whole; d < head_dim; ++d) rest[r] += q[at + d] * Rows::one(key + d);
      hn::Store(sum, tag, products.of_row[r]);
      if (++head == heads) {
        head = 0;
        ++position;
      }
    }
    const auto sums =
        rows::reduce(tag, products, count, [](auto a, auto b) { return hn::Add(a, b); });
    rows::store_some(hn::Add(sums, hn::Load(tag, rest)), scores + begin, count);
  }
}

/// Softmax of heads over their positions, times the scales of values: a head a lane, `count` of
/// them from `first` on.
template <class D, class Rows>
HWY_INLINE void weigh_lanes(D d, const Rows& keys, const Rows& values, const std::int32_t* indices,
                            int length, int heads, int first, int count, float scale,
                            float* scores) {
  const auto scale_v = hn::Set(d, scale);
  const auto lowest = hn::Set(d, -std::numeric_limits<float>::infinity());
  const auto end = static_cast<std::ptrdiff_t>(length) * heads + first;
  auto most = lowest;
  const std::int32_t* index = indices;
  for (std::ptrdiff_t i = first; i < end; i += heads, ++index) {
    const auto score = keys.scaled(d, rows::load_some(scores + i, count, d), *index, first, count);
    most = rows::larger(score, most);
    rows::store_some(score, scores + i, count, d);
  }
  const auto shift = hn::IfThenZeroElse(hn::Eq(most, lowest), most);
  auto sum = hn::Zero(d);
  index = indices;
  for (std::ptrdiff_t i = first; i < end; i += heads, ++index) {
    const auto score = rows::load_some(scores + i, count, d);
    const auto power = exp(d, hn::Mul(hn::Sub(score, shift), scale_v));
    sum = hn::Add(sum, power);
    rows::store_some(values.scaled(d, power, *index, first, count), scores + i, count, d);
  }
  const auto inverse = hn::IfThenElseZero(hn::Gt(sum, hn::Zero(d)), hn::Div(hn::Set(d, 1.0F), sum));
  for (std::ptrdiff_t i = first; i < end; i += heads) {
    const auto weight = hn::Mul(rows::load_some(scores + i, count, d), inverse);
    rows::store_some(weight, scores + i, count, d);
  }
}

/// The same for all heads. Eight of them fill a vector of their own.
template <class Rows>
HWY_INLINE void weigh_heads(const Rows& keys, const Rows& values, const std::int32_t* indices,
                            int length, int heads, float scale, float* scores) {
  using Eight = hn::CappedTag<float, 8>;
  constexpr int kEight = static_cast<int>(hn::MaxLanes(Eight()));
  int h = 0;
  const auto weigh = [&](auto d, int count) {
    weigh_lanes(d, keys, values, indices, length, heads, h, count, scale, scores);
    h += count;
  };
  while (heads - h >= rows::kLanes) weigh(rows::Tag(), rows::kLanes);
  if (heads - h >= kEight) weigh(Eight(), kEight);
  if (h < heads) weigh(rows::Tag(), heads - h);
}

/// Vectors of one head's output that stay in registers while its positions pass by.
constexpr int kOutputVectors = 8;

/// out [kCount vectors] = sum over positions of their weights, `heads` apart, times their values
/// from column `at` on.
template <int kCount, class Rows>
HWY_INLINE void sum_values(const Rows& values, const std::int32_t* indices, const float* weights,
                           int length, int heads, std::ptrdiff_t at, float* out) {
  const rows::Tag tag;
  hn::Vec<rows::Tag> sum[kCount];
#pragma GCC unroll 8
  for (int v = 0; v < kCount; ++v) sum[v] = hn::Zero(tag);
  for (int p = 0; p < length; ++p, weights += heads) {
    const auto value = values.row(indices[p], at);
    const auto weight = hn::Set(tag, *weights);
#pragma GCC unroll 8
    for (int v = 0; v < kCount; ++v) {
      sum[v] = hn::MulAdd(weight, Rows::load(value + v * rows::kLanes), sum[v]);
    }
  }
#pragma GCC unroll 8
  for (int v = 0; v < kCount; ++v) hn::StoreU(sum[v], tag, out + at + v * rows::kLanes);
}

/// sum_values of `count` vectors, 1..kCount.
template <int kCount, class Rows>
HWY_INLINE void sum_some_values(int count, const Rows& values, const std::int32_t* indices,
                                const float* weights, int length, int heads, std::ptrdiff_t at,
                                float* out) {
  if constexpr (kCount > 1) {
    if (count < kCount) {
      return sum_some_values<kCount - 1>(count, values, indices, weights, length, heads, at, out);
    }
  }
  sum_values<kCount>(values, indices, weights, length, heads, at, out);
}

/// Self-attention of one new position. `Rows` gives row(index, at), a pointer into a cached row;
/// load(pointer), a vector from there; one(pointer), a single value; and scaled(d, x, index,
/// head, count): x times the factors of `count` heads' parts of a row.
template <class Rows>
HWY_INLINE void attention_heads(const float* q, const Rows& keys, const Rows& values,
                                const std::int32_t* indices, int length, int heads, int head_dim,
                                float scale, float* out, float* scores) {
  using rows::kLanes;
  score_heads(q, keys, values, indices, length, heads, head_dim, scores);
  weigh_heads(keys, values, indices, length, heads, scale, scores);
  for (int h = 0; h < heads; ++h) {
    const std::ptrdiff_t at = static_cast<std::ptrdiff_t>(h) * head_dim;
    const float* weights = scores + h;
    int d = 0;
    while (d + kLanes <= head_dim) {
      const int vectors = std::min(kOutputVectors, (head_dim - d) / kLanes);
      sum_some_values<kOutputVectors>(vectors, values, indices, weights, length, heads, at + d,
                                      out);
      d += vectors * kLanes;
    }
    for (; d < head_dim; ++d) {
      float sum = 0.0F;
      for (int p = 0; p < length; ++p) {
        sum += weights[static_cast<std::ptrdiff_t>(p) * heads] *
               Rows::one(values.row(indices[p], at + d));
      }
      out[at + d] = sum;
    }
  }
}

}  // namespace
#endif  // KOBOLT_SIMD_TARGET
}  // namespace kobolt::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
