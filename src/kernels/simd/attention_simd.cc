#include "kernels/simd/targets.h"
// Order matters: targets.h comes first, and foreach_target.h includes this file once a target.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/simd/attention_simd.cc"  // NOLINT
#include <algorithm>
#include <cstring>

#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "kernels/simd/attention-inl.h"
#include "kernels/simd/declarations-inl.h"

HWY_BEFORE_NAMESPACE();
namespace kobolt::kernels::HWY_NAMESPACE {
#if KOBOLT_SIMD_TARGET
namespace {

using rows::kLanes;
using rows::Tag;
using V = hn::Vec<Tag>;

/// Rows and columns of what is transposed in registers: 8 where a vector has as many floats,
/// else 4.
constexpr int kBlock = kLanes >= 8 ? 8 : 4;

/// Transposes a block of kBlock x kBlock floats.
HWY_INLINE void transpose_block(const float* in, std::ptrdiff_t ld_in, float* out,
                                std::ptrdiff_t ld_out) {
  const hn::FixedTag<float, kBlock> tag;
  const hn::RepartitionToWide<decltype(tag)> wide;
  hn::Vec<decltype(tag)> row[kBlock];
#pragma GCC unroll 8
  for (int i = 0; i < kBlock; ++i) row[i] = hn::LoadU(tag, in + i * ld_in);
  hn::Vec<decltype(tag)> pair[kBlock];
#pragma GCC unroll 4
  for (int i = 0; i < kBlock / 2; ++i) {
    pair[2 * i] = hn::InterleaveLower(tag, row[2 * i], row[2 * i + 1]);
    pair[2 * i + 1] = hn::InterleaveUpper(tag, row[2 * i], row[2 * i + 1]);
  }
  hn::Vec<decltype(tag)> quad[kBlock];
#pragma GCC unroll 2
  for (int p = 0; p < kBlock; p += 4) {
    const auto lower = [&](auto a, auto b) {
      return hn::BitCast(tag,
                         hn::InterleaveLower(wide, hn::BitCast(wide, a), hn::BitCast(wide, b)));
    };
    const auto upper = [&](auto a, auto b) {
      return hn::BitCast(tag,
                         hn::InterleaveUpper(wide, hn::BitCast(wide, a), hn::BitCast(wide, b)));
    };
    quad[p] = lower(pair[p], pair[p + 2]);
    quad[p + 1] = upper(pair[p], pair[p + 2]);
    quad[p + 2] = lower(pair[p + 1], pair[p + 3]);
    quad[p + 3] = upper(pair[p + 1], pair[p + 3]);
  }
#pragma GCC unroll 4
  for (int i = 0; i < 4; ++i) {
    if constexpr (kBlock == 4) {
      hn::StoreU(quad[i], tag, out + i * ld_out);
    } else {
      hn::StoreU(hn::ConcatLowerLower(tag, quad[i + 4], quad[i]), tag, out + i * ld_out);
      hn::StoreU(hn::ConcatUpperUpper(tag, quad[i + 4], quad[i]), tag, out + (i + 4) * ld_out);
    }
  }
}

/// Cached rows as they are, for attention_heads.
struct FloatRows {
  const float* data;
  std::ptrdiff_t ld;
  using Row = const float*;

  HWY_INLINE Row row(std::int32_t index, std::ptrdiff_t at) const { return data + index * ld + at; }
  static HWY_INLINE V load(Row row) { return hn::LoadU(Tag(), row); }
  static HWY_INLINE float one(Row row) { return *row; }
  template <class D>
  static HWY_INLINE hn::Vec<D> scaled(D /*d*/, hn::Vec<D> x, std::int32_t /*index*/, int /*head*/,
                                      int /*count*/) {
    return x;
  }
};

}  // namespace

void pack_f32(const float* w, std::ptrdiff_t ld, int n, int k, float* out) {
  for (int panel = 0; panel < panels(n); ++panel) {
    const int first = panel * kPanel;
    float* to = out + static_cast<std::ptrdiff_t>(first) * k;
    const int columns = std::min(kPanel, n - first);
    int i = 0;
    if (columns == kPanel) {
      for (; i + kBlock <= k; i += kBlock) {
        for (int j = 0; j < kPanel; j += kBlock) {
          transpose_block(w + (first + j) * ld + i, ld,
                          to + static_cast<std::ptrdiff_t>(i) * kPanel + j, kPanel);
        }
      }
    }
    for (; i < k; ++i) {
      float* row = to + static_cast<std::ptrdiff_t>(i) * kPanel;
      for (int j = 0; j < kPanel; ++j) row[j] = j < columns ? w[(first + j) * ld + i] : 0.0F;
    }
  }
}

void pack_f32_transposed(const float* w, std::ptrdiff_t ld, int n, int k, float* out) {
  for (int panel = 0; panel < panels(n); ++panel) {
    const int first = panel * kPanel;
    float* to = out + static_cast<std::ptrdiff_t>(first) * k;
    const int columns = std::min(kPanel, n - first);
    for (int i = 0; i < k; ++i, to += kPanel) {
      const float* from = w + i * ld + first;
      if (columns == kPanel) {
        std::memcpy(to, from, kPanel * sizeof(float));
      } else {
        std::copy_n(from, columns, to);
        std::fill(to + columns, to + kPanel, 0.0F);
      }
    }
  }
}

void attention(const float* q, std::ptrdiff_t ldq, int m, const PackedF32& keys,
               const PackedF32& values, float scale, float* out, std::ptrdiff_t ldo,
               float* scratch) {
  attend<gemm::FloatUnits>(q, ldq, m, keys, values, scale, out, ldo, scratch);
}

void attention_step(const float* q, const float* keys, const float* values, std::ptrdiff_t ld,
                    const std::int32_t* rows, int length, int heads, int head_dim, float scale,
                    float* out, float* scratch) {
  attention_heads(q, FloatRows{keys, ld}, FloatRows{values, ld}, rows, length, heads, head_dim,
                  scale, out, scratch);
}

#endif  // KOBOLT_SIMD_TARGET
}  // namespace kobolt::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
