#include "kernels/simd/targets.h"
// Order matters: targets.h comes first, and foreach_target.h includes this file once a target.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/simd/head_attention_simd.cc"  // NOLINT
#include <algorithm>

#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "kernels/head_scratch.h"
#include "kernels/simd/declarations-inl.h"
#include "kernels/simd/float_tiles-inl.h"
#include "kernels/simd/gemm-inl.h"
#include "kernels/simd/rounded_weights-inl.h"
#include "kernels/simd/row_groups-inl.h"

HWY_BEFORE_NAMESPACE();
namespace kobolt::kernels::HWY_NAMESPACE {
#if KOBOLT_SIMD_TARGET
namespace {

/// Unit = a pair of int16 as it is stored, [kPanel columns][2].
template <class Products>
struct StoredPairs : gemm::WidePairs<Products> {
  static HWY_INLINE hn::Vec<gemm::PairTag> load(const std::int16_t* w) {
    return gemm::pair_order(hn::LoadU(gemm::PairTag(), w));
  }
};

/// Rounds rows x [m, k] to +-limit with a scale each, as quantize_rows() does, in pairs
/// [m][pairs(k)]. Pair u of a row is of its values u and pairs(k) + u, so that both are loaded as
/// they lie. Writes up to kLanes pairs beyond the last row, and scales for whole groups of kLanes
/// rows, of any value for those that are missing.
void quantize_pairs(const float* x, std::ptrdiff_t ld, int m, int k, float limit, std::int32_t* out,
                    float* scales) {
  using rows::BitsTag;
  using rows::kLanes;
  const rows::Tag tag;
  const auto larger_bits = [](auto a, auto b) { return hn::Max(a, b); };
  const int half = pairs(k);
  alignas(64) float inverses[kLanes];
  for (int begin = 0; begin < m; begin += kLanes) {
    const int count = std::min(kLanes, m - begin);
    const float* group = x + begin * ld;
    rows::Partial<std::int32_t> magnitudes(count);
    for (int r = 0; r < count; ++r) {
      const float* in = group + r * ld;
      rows::fetch(in + rows::kRowsAhead * ld, k);
      auto largest = hn::Zero(BitsTag());
      int i = 0;
      for (; i + kLanes <= k; i += kLanes) {
        largest = hn::Max(largest, rows::magnitude_bits(hn::LoadU(tag, in + i)));
      }
      if (i < k) {
        const auto rest = rows::load_first(in + i, k - i);
        largest = hn::Max(largest, rows::magnitude_bits(rest));
      }
      hn::Store(largest, BitsTag(), magnitudes.of_row[r]);
    }
    const rows::Rounding rounding =
        rows::rounding_of(rows::reduce(BitsTag(), magnitudes, count, larger_bits), limit);
    hn::StoreU(rounding.scale, tag, scales + begin);
    hn::Store(rounding.inverse, tag, inverses);
    for (int r = 0; r < count; ++r) {
      const float* in = group + r * ld;
      std::int32_t* to = out + static_cast<std::ptrdiff_t>(begin + r) * half;
      const auto inverse = hn::Set(tag, inverses[r]);
      int u = 0;
      for (; half + u + kLanes <= k; u += kLanes) {
        hn::StoreU(
            rows::rounded_pairs(hn::LoadU(tag, in + u), hn::LoadU(tag, in + half + u), inverse),
            BitsTag(), to + u);
      }
      if (u < half) {
        const auto first = rows::load_first(in + u, half - u);
        const auto second = rows::load_first(in + half + u, k - half - u);
        hn::StoreU(rows::rounded_pairs(first, second, inverse), BitsTag(), to + u);
      }
    }
  }
}

/// The keys of a head, rounded, in panels.
gemm::Panels<std::int16_t> pack_keys(const float* k, std::ptrdiff_t ld, int length, int head_dim,
                                     const HeadScratch& at, float* scratch) {
  const int width = pairs(head_dim);
  auto* rows = reinterpret_cast<std::int32_t*>(scratch + at.key_rows);
  float* scales = scratch + at.key_scales;
  quantize_pairs(k, ld, length, head_dim, static_cast<float>(activation_limit(head_dim)), rows,
                 scales);
  std::fill(rows + length * std::ptrdiff_t{width}, rows + padded(length) * std::ptrdiff_t{width},
            0);
  std::fill(scales + length, scales + padded(length), 0.0F);
  // A pair has the size of a float, so this is how floats are packed.
  HWY_NAMESPACE::pack_f32(scratch + at.key_rows, width, padded(length), width, scratch + at.keys);
  return gemm::panels_of<gemm::WidePairs<gemm::PairProducts>>(
      reinterpret_cast<const std::int16_t*>(scratch + at.keys), width, 0, panels(length));
}

/// Rounds values [length, head_dim] feature by feature, into panels of pairs of positions: pair u
/// is of positions u and pairs(length) + u.
gemm::Panels<std::int16_t> pack_values(const float* v, std::ptrdiff_t ld, int length, int head_dim,
                                       const HeadScratch& at, float* scratch) {
  using rows::BitsTag;
  const rows::Tag tag;
  const int half = pairs(length);
  for (int column = 0; column < padded(head_dim); column += rows::kLanes) {
    const int features = std::clamp(head_dim - column, 0, rows::kLanes);
    const float* from = v + std::min(column, head_dim);
    const auto load = [&](int position) {
      const float* x = from + position * ld;
      return features == rows::kLanes ? hn::LoadU(tag, x) : rows::load_first(x, features);
    };
    auto largest = hn::Zero(BitsTag());
    for (int p = 0; p < length; ++p) {
      rows::fetch(from + (p + rows::kRowsAhead) * ld, rows::kLanes);
      largest = hn::Max(largest, rows::magnitude_bits(load(p)));
    }
    const rows::Rounding rounding = rows::rounding_of(largest, static_cast<float>(kValueLimitI16));
    hn::StoreU(rounding.scale, tag, scratch + at.value_scales + column);
    const std::ptrdiff_t panel = column / kPanel * kPanel;
    auto* out =
        reinterpret_cast<std::int32_t*>(scratch + at.values) + panel * half + column % kPanel;
    for (int u = 0; u < half; ++u, out += kPanel) {
      const auto second = half + u < length ? load(half + u) : hn::Zero(tag);
      hn::StoreU(rows::rounded_pairs(load(u), second, rounding.inverse), BitsTag(), out);
    }
  }
  return gemm::panels_of<gemm::WidePairs<gemm::PairProducts>>(
      reinterpret_cast<const std::int16_t*>(scratch + at.values), half, 0, panels(head_dim));
}

/// Queries of one pass: whole tiles, and whole groups of rows.
constexpr int kBlockQueries = HWY_TARGET == HWY_AVX3 ? 32 : HWY_TARGET == HWY_AVX2 ? 24 : 20;
static_assert(kBlockQueries <= kAttentionRows);

template <class Products>
HWY_INLINE void attend_head(const float* q, const float* k, const float* v, std::ptrdiff_t ld,
                            int length, int head_dim, float scale, float* out, std::ptrdiff_t ldo,
                            float* scratch) {
  using Units = StoredPairs<Products>;
  const HeadScratch at(length, head_dim);
  const auto keys = pack_keys(k, ld, length, head_dim, at, scratch);
  const auto values = pack_values(v, ld, length, head_dim, at, scratch);
  const KeyColumns key_columns{scratch + at.key_scales, length};
  const ValueColumns value_columns{scratch + at.value_scales, scratch + at.row_scales};
  auto* rounded = reinterpret_cast<std::int32_t*>(scratch + at.rounded);
  const auto* rounded_values = reinterpret_cast<const std::int16_t*>(rounded);
  float* row_scales = scratch + at.row_scales;
  const rows::Scores scores{scratch + at.scores, at.ld_scores, length};
  for (int begin = 0; begin < length; begin += kBlockQueries) {
    const int count = std::min(kBlockQueries, length - begin);
    quantize_pairs(q + begin * ld, ld, count, head_dim,
                   static_cast<float>(activation_limit(head_dim)), rounded, row_scales);
    multiply_pairs<Units>(rounded_values, count, keys, padded(length), key_columns, scores.data,
                          scores.ld);
    rows::round_weights<Products>(scores, count, scale, rounded, row_scales);
    multiply_pairs<Units>(rounded_values, count, values, head_dim, value_columns, out + begin * ldo,
                          ldo);
  }
}

}  // namespace

void head_attention_i16(const float* q, const float* k, const float* v, std::ptrdiff_t ld,
                        int length, int head_dim, float scale, float* out, std::ptrdiff_t ldo,
                        float* scratch) {
  attend_head<gemm::PairProducts>(q, k, v, ld, length, head_dim, scale, out, ldo, scratch);
}

#if HWY_TARGET == HWY_AVX3
void head_attention_i16_vnni(const float* q, const float* k, const float* v, std::ptrdiff_t ld,
                             int length, int head_dim, float scale, float* out, std::ptrdiff_t ldo,
                             float* scratch) {
  attend_head<gemm::VnniPairProducts>(q, k, v, ld, length, head_dim, scale, out, ldo, scratch);
}
#endif

#endif  // KOBOLT_SIMD_TARGET
}  // namespace kobolt::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
