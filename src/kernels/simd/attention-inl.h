// No #pragma once: foreach_target includes this once for each target.
#if defined(KOBOLT_KERNELS_ATTENTION_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef KOBOLT_KERNELS_ATTENTION_INL_H_
#undef KOBOLT_KERNELS_ATTENTION_INL_H_
#else
#define KOBOLT_KERNELS_ATTENTION_INL_H_
#endif

#include <algorithm>

#include "hwy/highway.h"
#include "kernels/kernel_table.h"
#include "kernels/simd/gemm-inl.h"
#include "kernels/simd/rows-inl.h"

// Attention, whatever the number format of keys and values.
HWY_BEFORE_NAMESPACE();
namespace kobolt::kernels::HWY_NAMESPACE {
#if KOBOLT_SIMD_TARGET
namespace {

/// attention() for many queries, with the product of floats and the packed form. What a softmax
/// divides by, the few outputs are divided by.
template <auto kGemm, class Packed>
HWY_INLINE void attend(const float* q, std::ptrdiff_t ldq, int m, const Packed& keys,
                       const Packed& values, float scale, float* out, std::ptrdiff_t ldo,
                       float* scratch) {
  const std::ptrdiff_t ld = padded(keys.n);
  float inverses[kAttentionRows];
  const gemm::EvenParts blocks(m, kAttentionRows);
  for (int block = 0; block < blocks.count(); ++block) {
    const std::ptrdiff_t begin = blocks.begin(block);
    const int count = blocks.size(block);
    float* to = out + begin * ldo;
    kGemm(q + begin * ldq, ldq, count, keys, 0, panels(keys.n), scratch, ld, {});
    for (int i = 0; i < count; ++i)
      inverses[i] = rows::exponentials(scratch + i * ld, keys.n, scale);
    kGemm(scratch, ld, count, values, 0, panels(values.n), to, ldo, {});
    for (int i = 0; i < count; ++i) rows::multiply(to + i * ldo, values.n, inverses[i]);
  }
}

/// Vectors of one head's output that stay in registers while its positions pass by.
constexpr int kOutputVectors = 8;

/// Self-attention of one new position. `Rows` gives row(index, at), a pointer into a cached row;
/// load(pointer), a vector from there; one(pointer), a single value; and scale(index, head), a
/// factor on the whole head's part of a row. Two passes over the positions of one head at a time:
/// its part of a row is a few cache lines.
template <class Rows>
HWY_INLINE void attention_heads(const float* q, const Rows& keys, const Rows& values,
                                const std::int32_t* indices, int length, int heads, int head_dim,
                                float scale, float* out, float* scores) {
  using rows::kLanes;
  const rows::Tag tag;
  for (int h = 0; h < heads; ++h) {
    const std::ptrdiff_t at = static_cast<std::ptrdiff_t>(h) * head_dim;
    for (int p = 0; p < length; ++p) {
      const auto key = keys.row(indices[p], at);
      auto sum = hn::Zero(tag);
      int d = 0;
      for (; d + kLanes <= head_dim; d += kLanes) {
        sum = hn::MulAdd(hn::LoadU(tag, q + at + d), Rows::load(key + d), sum);
      }
      float total = hn::GetLane(hn::SumOfLanes(tag, sum));
      for (; d < head_dim; ++d) total += q[at + d] * Rows::one(key + d);
      scores[p] = total * keys.scale(indices[p], h);
    }
    const float inverse = rows::exponentials(scores, length, scale);
    for (int p = 0; p < length; ++p) scores[p] *= values.scale(indices[p], h);
    int d = 0;
    while (d + kLanes <= head_dim) {
      const int vectors = std::min(kOutputVectors, (head_dim - d) / kLanes);
      hn::Vec<rows::Tag> sum[kOutputVectors];
#pragma GCC unroll 8
      for (int v = 0; v < kOutputVectors; ++v) sum[v] = hn::Zero(tag);
      for (int p = 0; p < length; ++p) {
        const auto value = values.row(indices[p], at + d);
        const auto weight = hn::Set(tag, scores[p]);
#pragma GCC unroll 8
        for (int v = 0; v < kOutputVectors; ++v) {
          if (v < vectors) sum[v] = hn::MulAdd(weight, Rows::load(value + v * kLanes), sum[v]);
        }
      }
#pragma GCC unroll 8
      for (int v = 0; v < kOutputVectors; ++v) {
        if (v < vectors) {
          hn::StoreU(hn::Mul(sum[v], hn::Set(tag, inverse)), tag, out + at + d + v * kLanes);
        }
      }
      d += vectors * kLanes;
    }
    for (; d < head_dim; ++d) {
      float sum = 0.0F;
      for (int p = 0; p < length; ++p) sum += scores[p] * Rows::one(values.row(indices[p], at + d));
      out[at + d] = sum * inverse;
    }
    scores += length;
  }
}

}  // namespace
#endif  // KOBOLT_SIMD_TARGET
}  // namespace kobolt::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
