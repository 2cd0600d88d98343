#include "kernels/simd/targets.h"
// Order matters: targets.h comes first, and foreach_target.h includes this file once a target.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/simd/head_attention_simd.cc"  // NOLINT
#include <algorithm>
#include <array>
#include <limits>
#include <utility>

#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "kernels/head_scratch.h"
#include "kernels/simd/declarations-inl.h"
#include "kernels/simd/gemm-inl.h"
#include "kernels/simd/head_weights-inl.h"
#include "kernels/simd/row_groups-inl.h"

HWY_BEFORE_NAMESPACE();
namespace kobolt::kernels::HWY_NAMESPACE {
#if KOBOLT_SIMD_TARGET
namespace {

using gemm::FloatTag;
using gemm::IntTag;

/// Unit = a pair of int16 as it is stored, [kPanel columns][2].
template <class Products>
struct StoredPairs : gemm::WidePairs<Products> {
  static HWY_INLINE hn::Vec<gemm::PairTag> load(const std::int16_t* w) {
    return gemm::pair_order(hn::LoadU(gemm::PairTag(), w));
  }
};

// Columns of a product turn its sums into floats: of(column) takes what belongs to a vector of
// columns into registers, and gives a function of the sums of a row.

/// Scores but for the scale of their query. Beyond the last key they are -infinity.
struct KeyColumns {
  const float* scales;
  const float* biases;
  [[nodiscard]] HWY_INLINE auto of(int column) const {
    const FloatTag tag;
    return [scale = hn::LoadU(tag, scales + column), bias = hn::LoadU(tag, biases + column)](
               hn::Vec<IntTag> sums, int /*row*/) {
      return hn::MulAdd(hn::ConvertTo(FloatTag(), sums), scale, bias);
    };
  }
};

/// Features of values, and a factor of each row.
struct ValueColumns {
  const float* scales;
  const float* row_factors;
  [[nodiscard]] HWY_INLINE auto of(int column) const {
    return [scale = hn::LoadU(FloatTag(), scales + column), factors = row_factors](
               hn::Vec<IntTag> sums, int row) {
      const FloatTag tag;
      return hn::Mul(hn::Mul(hn::ConvertTo(tag, sums), scale), hn::Set(tag, factors[row]));
    };
  }
};

/// Where a tile begins.
struct Corner {
  int row;
  int column;
};

/// c [kRows, kPanels * kPanel] = a [kRows, units] times slices of panels.
template <class Units, class Columns, int kRows, int kPanels>
HWY_NOINLINE void tile_of_floats(const std::int16_t* a, std::ptrdiff_t lda,
                                 const gemm::Slices<Units>& w, int units, gemm::Ahead ahead,
                                 const Columns& columns, Corner at, float* c, std::ptrdiff_t ldc) {
  constexpr int kWidth = kPanels * gemm::kVectors;
  hn::Vec<IntTag> sum[kRows][kWidth];
#pragma GCC unroll 16
  for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 16
    for (int v = 0; v < kWidth; ++v) sum[r][v] = hn::Zero(IntTag());
  }
  gemm::add_products<Units, kRows, kPanels>(a, lda, w, units, ahead, sum);
#pragma GCC unroll 16
  for (int v = 0; v < kWidth; ++v) {
    const auto value = columns.of(at.column + v * gemm::kLanes);
#pragma GCC unroll 16
    for (int r = 0; r < kRows; ++r) {
      hn::StoreU(value(sum[r][v], at.row + r), FloatTag(), c + r * ldc + v * gemm::kLanes);
    }
  }
}

template <class Units, class Columns>
using FloatTile = void (*)(const std::int16_t*, std::ptrdiff_t, const gemm::Slices<Units>&, int,
                           gemm::Ahead, const Columns&, Corner, float*, std::ptrdiff_t);

/// The tile of `rows` rows, 1..gemm::kTileRows, and `kPanels` panels.
template <class Units, class Columns, int kPanels>
HWY_INLINE FloatTile<Units, Columns> float_tile(int rows) {
  static constexpr auto kFunctions = []<std::size_t... kIndex>(std::index_sequence<kIndex...>) {
    return std::array<FloatTile<Units, Columns>, gemm::kTileRows>{
        tile_of_floats<Units, Columns, kIndex + 1, kPanels>...};
  }
  (std::make_index_sequence<gemm::kTileRows>());
  return kFunctions[static_cast<std::size_t>(rows - 1)];
}

/// c [m, n] = a [m, units] times panels of n columns. Few rows and no long sums, so nothing is cut
/// into slices: a tile goes from its sums to its place.
template <class Units, class Columns>
void multiply_pairs(const std::int32_t* a, int m, const gemm::Panels<std::int16_t>& w, int n,
                    const Columns& columns, float* c, std::ptrdiff_t ldc) {
  const std::ptrdiff_t lda = 2 * static_cast<std::ptrdiff_t>(w.units);
  const auto* rows = reinterpret_cast<const std::int16_t*>(a);
  const gemm::EvenParts tiles(m, gemm::kTileRows);
  int count = gemm::kTilePanels;
  for (int panel = w.begin; panel < w.end; panel += count) {
    count = std::min(count, w.end - panel);
    gemm::Slices<Units> slices{};
    for (int p = 0; p < count; ++p) slices[static_cast<std::size_t>(p)] = w.at(panel + p, 0);
    const gemm::Ahead ahead{reinterpret_cast<const char*>(slices[0]) + gemm::kStreamAhead,
                            w.unit_size * static_cast<std::ptrdiff_t>(sizeof(std::int16_t)),
                            w.size * static_cast<std::ptrdiff_t>(sizeof(std::int16_t))};
    const int column = panel * kPanel;
    const bool whole = column + count * kPanel <= n;
    for (int t = 0; t < tiles.count(); ++t) {
      const int row = tiles.begin(t);
      const int size = tiles.size(t);
      const auto function = count == gemm::kTilePanels
                                ? float_tile<Units, Columns, gemm::kTilePanels>(size)
                                : float_tile<Units, Columns, 1>(size);
      float* to = c + row * ldc + column;
      constexpr std::ptrdiff_t kWidth = gemm::kTilePanels * kPanel;
      float part[gemm::kTileRows * kWidth];
      function(rows + row * lda, lda, slices, w.units, ahead, columns, {row, column},
               whole ? to : part, whole ? ldc : kWidth);
      if (whole) continue;
      for (int r = 0; r < size; ++r) std::copy_n(part + r * kWidth, n - column, to + r * ldc);
    }
  }
}

/// The keys of a head, rounded, in panels.
gemm::Panels<std::int16_t> pack_keys(const float* k, std::ptrdiff_t ld, int length, int head_dim,
                                     const HeadScratch& at, float* scratch) {
  constexpr float kNothing = -std::numeric_limits<float>::infinity();
  const int width = pairs(head_dim);
  auto* rows = reinterpret_cast<std::int32_t*>(scratch + at.key_rows);
  float* scales = scratch + at.key_scales;
  float* biases = scratch + at.key_biases;
  rows::quantize_pairs(k, ld, length, head_dim, static_cast<float>(activation_limit(head_dim)),
                       rows, scales);
  std::fill(rows + length * std::ptrdiff_t{width}, rows + padded(length) * std::ptrdiff_t{width},
            0);
  std::fill(scales + length, scales + padded(length), 0.0F);
  std::fill_n(biases, length, 0.0F);
  std::fill(biases + length, biases + padded(length), kNothing);
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
  const KeyColumns key_columns{scratch + at.key_scales, scratch + at.key_biases};
  const ValueColumns value_columns{scratch + at.value_scales, scratch + at.row_scales};
  auto* rounded = reinterpret_cast<std::int32_t*>(scratch + at.rounded);
  float* row_scales = scratch + at.row_scales;
  const rows::Scores scores{scratch + at.scores, at.ld_scores, length};
  for (int begin = 0; begin < length; begin += kBlockQueries) {
    const int count = std::min(kBlockQueries, length - begin);
    rows::quantize_pairs(q + begin * ld, ld, count, head_dim,
                         static_cast<float>(activation_limit(head_dim)), rounded, row_scales);
    multiply_pairs<Units>(rounded, count, keys, padded(length), key_columns, scores.data,
                          scores.ld);
    rows::round_weights<Products>(scores, count, scale, rounded, row_scales);
    multiply_pairs<Units>(rounded, count, values, head_dim, value_columns, out + begin * ldo, ldo);
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
