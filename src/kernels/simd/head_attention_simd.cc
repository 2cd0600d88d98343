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
#include "kernels/simd/quads-inl.h"
#include "kernels/simd/rounded_weights-inl.h"
#include "kernels/simd/row_groups-inl.h"

HWY_BEFORE_NAMESPACE();
namespace kobolt::kernels::HWY_NAMESPACE {
#if KOBOLT_SIMD_TARGET
namespace {

/// Products of pairs of int16.
template <class Products>
struct PairHead : gemm::WidePairs<Products> {
  static HWY_INLINE hn::Vec<gemm::PairTag> load(const std::int16_t* w) {
    return gemm::pair_order(hn::LoadU(gemm::PairTag(), w));
  }

  static float query_limit(int head_dim) { return static_cast<float>(activation_limit(head_dim)); }
  static constexpr float kValueLimit = kValueLimitI16;
  static constexpr std::int32_t kQueryZeros = 0;

  static KeyColumns key_columns(const HeadScratch& at, float* scratch, int length) {
    return {scratch + at.key_scales, length};
  }
  static HWY_INLINE void round_weights(const rows::Scores& scores, int m, float scale,
                                       std::int32_t* out, float* factors) {
    rows::round_weights<Products>(scores, m, scale, out, factors);
  }
};

#if HWY_TARGET == HWY_AVX3
/// Products of bytes. Those of queries are unsigned: 128 is 0.
struct ByteHead : ByteQuads {
  static constexpr std::ptrdiff_t kStoredPerUnit = kPanel * 4;
  static HWY_INLINE Factor load(const std::int8_t* w) {
    return hn::LoadU(gemm::IntTag(), reinterpret_cast<const std::int32_t*>(w));
  }

  static constexpr float query_limit(int /*head_dim*/) { return kByteLimit; }
  static constexpr float kValueLimit = kByteLimit;
  static constexpr auto kQueryZeros = static_cast<std::int32_t>(0x80808080U);

  static ShiftedKeyColumns key_columns(const HeadScratch& at, float* scratch, int length) {
    auto* starts = reinterpret_cast<std::int32_t*>(scratch + at.key_starts);
    return {{scratch + at.key_scales, length}, starts};
  }
  static HWY_INLINE void round_weights(const rows::Scores& scores, int m, float scale,
                                       std::int32_t* out, float* factors) {
    rows::round_weights_u8(scores, m, scale, out, factors);
  }
};

/// What the zeros of queries add to their products with keys, negative: -128 * sum(key).
void find_key_starts(const std::int8_t* keys, int units, int length, std::int32_t* starts) {
  const auto zeros = hn::Set(gemm::IntTag(), ByteHead::kQueryZeros);
  for (int panel = 0; panel < panels(length); ++panel) {
    auto sum = hn::Zero(gemm::IntTag());
    for (int u = 0; u < units; ++u, keys += ByteHead::kStoredPerUnit) {
      multiply_bytes(zeros, ByteHead::load(keys), sum);
    }
    hn::StoreU(hn::Neg(sum), gemm::IntTag(), starts + panel * kPanel);
  }
}
#endif

/// Units of 32 bits of `values` values, `kParts` in each.
template <int kParts>
constexpr int units_of(int values) {
  return (values + kParts - 1) / kParts;
}

/// Rounds rows x [m, k] to +-limit with a scale each, in units [m][units_of(k)]. Unit u of a row is
/// of its values u, units_of(k) + u and so on, so that they are loaded as they lie. `flipped` bits
/// of units are inverted. Writes up to kLanes units beyond the last row, and scales for whole
/// groups of kLanes rows, of any value for those that are missing.
template <int kParts>
void quantize_units(const float* x, std::ptrdiff_t ld, int m, int k, float limit,
                    std::int32_t flipped, std::int32_t* out, float* scales) {
  using rows::BitsTag;
  using rows::kLanes;
  const rows::Tag tag;
  const auto larger_bits = [](auto a, auto b) { return hn::Max(a, b); };
  const int width = units_of<kParts>(k);
  const auto flip = hn::Set(BitsTag(), flipped);
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
      std::int32_t* to = out + static_cast<std::ptrdiff_t>(begin + r) * width;
      const auto inverse = hn::Set(tag, inverses[r]);
      Several<rows::Tag, kParts> parts;
      int u = 0;
      for (; (kParts - 1) * width + u + kLanes <= k; u += kLanes) {
#pragma GCC unroll 4
        for (int part = 0; part < kParts; ++part) {
          parts[static_cast<std::size_t>(part)] = hn::LoadU(tag, in + part * width + u);
        }
        hn::StoreU(hn::Xor(rows::rounded_unit(parts, inverse), flip), BitsTag(), to + u);
      }
      for (; u < width; u += kLanes) {
#pragma GCC unroll 4
        for (int part = 0; part < kParts; ++part) {
          const int from = std::min(part * width + u, k);
          const int until = std::min((part + 1) * width, k);
          parts[static_cast<std::size_t>(part)] =
              rows::load_first(in + from, std::clamp(until - from, 0, kLanes));
        }
        hn::StoreU(hn::Xor(rows::rounded_unit(parts, inverse), flip), BitsTag(), to + u);
      }
    }
  }
}

/// The keys of a head, rounded, in panels.
template <class Head>
gemm::Panels<typename Head::Weight> pack_keys(const float* k, std::ptrdiff_t ld, int length,
                                              int head_dim, const HeadScratch& at, float* scratch) {
  constexpr int kParts = Head::kValuesPerUnit;
  const std::ptrdiff_t width = units_of<kParts>(head_dim);
  auto* rows = reinterpret_cast<std::int32_t*>(scratch + at.key_rows);
  float* scales = scratch + at.key_scales;
  quantize_units<kParts>(k, ld, length, head_dim, Head::query_limit(head_dim), 0, rows, scales);
  std::fill(rows + length * width, rows + padded(length) * width, 0);
  std::fill(scales + length, scales + padded(length), 0.0F);
  // A unit has the size of a float, so this is how floats are packed.
  HWY_NAMESPACE::pack_f32(scratch + at.key_rows, width, padded(length), static_cast<int>(width),
                          scratch + at.keys);
  const auto* packed = reinterpret_cast<const typename Head::Weight*>(scratch + at.keys);
#if HWY_TARGET == HWY_AVX3
  if constexpr (Head::kQueryZeros != 0) {
    find_key_starts(packed, static_cast<int>(width), length,
                    reinterpret_cast<std::int32_t*>(scratch + at.key_starts));
  }
#endif
  return gemm::panels_of<Head>(packed, static_cast<int>(width), 0, panels(length));
}

/// Rounds values [length, head_dim] feature by feature, into panels of units of positions: unit u
/// is of positions u, units_of(length) + u and so on.
template <class Head>
gemm::Panels<typename Head::Weight> pack_values(const float* v, std::ptrdiff_t ld, int length,
                                                int head_dim, const HeadScratch& at,
                                                float* scratch) {
  using rows::BitsTag;
  constexpr int kParts = Head::kValuesPerUnit;
  const rows::Tag tag;
  const int width = units_of<kParts>(length);
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
    const rows::Rounding rounding = rows::rounding_of(largest, Head::kValueLimit);
    hn::StoreU(rounding.scale, tag, scratch + at.value_scales + column);
    const std::ptrdiff_t panel = column / kPanel * kPanel;
    auto* out =
        reinterpret_cast<std::int32_t*>(scratch + at.values) + panel * width + column % kPanel;
    for (int u = 0; u < width; ++u, out += kPanel) {
      Several<rows::Tag, kParts> parts;
#pragma GCC unroll 4
      for (int part = 0; part < kParts; ++part) {
        const int position = part * width + u;
        parts[static_cast<std::size_t>(part)] = position < length ? load(position) : hn::Zero(tag);
      }
      hn::StoreU(rows::rounded_unit(parts, rounding.inverse), BitsTag(), out);
    }
  }
  return gemm::panels_of<Head>(reinterpret_cast<const typename Head::Weight*>(scratch + at.values),
                               width, 0, panels(head_dim));
}

/// Queries of one pass: whole tiles, and whole groups of rows.
constexpr int kBlockQueries = HWY_TARGET == HWY_AVX3 ? 32 : HWY_TARGET == HWY_AVX2 ? 24 : 20;
static_assert(kBlockQueries <= kAttentionRows);

template <class Head>
HWY_INLINE void attend_head(const float* q, const float* k, const float* v, std::ptrdiff_t ld,
                            int length, int head_dim, float scale, float* out, std::ptrdiff_t ldo,
                            float* scratch) {
  constexpr int kParts = Head::kValuesPerUnit;
  const HeadScratch at(length, head_dim, kParts);
  const auto keys = pack_keys<Head>(k, ld, length, head_dim, at, scratch);
  const auto values = pack_values<Head>(v, ld, length, head_dim, at, scratch);
  const auto key_columns = Head::key_columns(at, scratch, length);
  float* row_scales = scratch + at.row_scales;
  const ValueColumns value_columns{scratch + at.value_scales, row_scales};
  auto* rounded = reinterpret_cast<std::int32_t*>(scratch + at.rounded);
  const auto* rounded_values = reinterpret_cast<const typename Head::Value*>(rounded);
  const std::ptrdiff_t ld_queries = std::ptrdiff_t{kParts} * keys.units;
  const std::ptrdiff_t ld_weights = std::ptrdiff_t{kParts} * values.units;
  const rows::Scores scores{scratch + at.scores, at.ld_scores, length};
  for (int begin = 0; begin < length; begin += kBlockQueries) {
    const int count = std::min(kBlockQueries, length - begin);
    quantize_units<kParts>(q + begin * ld, ld, count, head_dim, Head::query_limit(head_dim),
                           Head::kQueryZeros, rounded, row_scales);
    multiply_units<Head, InL2>(rounded_values, ld_queries, count, keys, padded(length), key_columns,
                               scores.data, scores.ld);
    Head::round_weights(scores, count, scale, rounded, row_scales);
    multiply_units<Head, InL2>(rounded_values, ld_weights, count, values, head_dim, value_columns,
                               out + begin * ldo, ldo);
  }
}

}  // namespace

void head_attention_i16(const float* q, const float* k, const float* v, std::ptrdiff_t ld,
                        int length, int head_dim, float scale, float* out, std::ptrdiff_t ldo,
                        float* scratch) {
  attend_head<PairHead<gemm::PairProducts>>(q, k, v, ld, length, head_dim, scale, out, ldo,
                                            scratch);
}

#if HWY_TARGET == HWY_AVX3
void head_attention_i16_vnni(const float* q, const float* k, const float* v, std::ptrdiff_t ld,
                             int length, int head_dim, float scale, float* out, std::ptrdiff_t ldo,
                             float* scratch) {
  attend_head<PairHead<gemm::VnniPairProducts>>(q, k, v, ld, length, head_dim, scale, out, ldo,
                                                scratch);
}

void head_attention_i8_vnni(const float* q, const float* k, const float* v, std::ptrdiff_t ld,
                            int length, int head_dim, float scale, float* out, std::ptrdiff_t ldo,
                            float* scratch) {
  attend_head<ByteHead>(q, k, v, ld, length, head_dim, scale, out, ldo, scratch);
}
#endif

#endif  // KOBOLT_SIMD_TARGET
}  // namespace kobolt::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
