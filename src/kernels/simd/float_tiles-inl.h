// No #pragma once: foreach_target includes this once for each target.
#if defined(KOBOLT_KERNELS_FLOAT_TILES_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef KOBOLT_KERNELS_FLOAT_TILES_INL_H_
#undef KOBOLT_KERNELS_FLOAT_TILES_INL_H_
#else
#define KOBOLT_KERNELS_FLOAT_TILES_INL_H_
#endif

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <utility>

#include "hwy/highway.h"
#include "kernels/simd/gemm-inl.h"

// The small products of attention: scores and outputs of one head.
HWY_BEFORE_NAMESPACE();
namespace kobolt::kernels::HWY_NAMESPACE {
#if KOBOLT_SIMD_TARGET
namespace {

namespace hn = hwy::HWY_NAMESPACE;

// Columns of a product turn its sums into floats: of(column) takes what belongs to a vector of
// columns into registers, and gives a function of the sums of a row. start(column) is what these
// sums begin with.

/// What is added to scores: nothing to those of keys, and -infinity to what a panel has beyond
/// them.
struct Edge {
  constexpr Edge() {
    for (int j = 0; j < kPanel; ++j) values[kPanel + j] = -std::numeric_limits<float>::infinity();
  }
  float values[2 * kPanel] = {};
};

/// That of a vector of scores from `column` on, of `count` keys.
HWY_INLINE hn::Vec<gemm::FloatTag> edge_of(int column, int count) {
  static constexpr Edge kEdge;
  const float* biases = kEdge.values + kPanel - std::clamp(count - column, 0, kPanel);
  return hn::LoadU(gemm::FloatTag(), biases);
}

/// Scores of floats. Beyond the last of `count` keys they are -infinity.
struct FloatKeyColumns {
  int count;
  [[nodiscard]] static HWY_INLINE auto start(int /*column*/) { return hn::Zero(gemm::FloatTag()); }
  [[nodiscard]] HWY_INLINE auto of(int column) const {
    return [edge = edge_of(column, count)](hn::Vec<gemm::FloatTag> sums, int /*row*/) {
      return hn::Add(sums, edge);
    };
  }
};

/// Features of values, times a factor of each row.
struct FloatValueColumns {
  const float* row_factors;
  [[nodiscard]] static HWY_INLINE auto start(int /*column*/) { return hn::Zero(gemm::FloatTag()); }
  [[nodiscard]] HWY_INLINE auto of(int /*column*/) const {
    return [factors = row_factors](hn::Vec<gemm::FloatTag> sums, int row) {
      return hn::Mul(sums, hn::Set(gemm::FloatTag(), factors[row]));
    };
  }
};

/// Scores of integers, but for the scale of their query. Beyond the last of `count` keys they are
/// -infinity.
struct KeyColumns {
  const float* scales;
  int count;
  [[nodiscard]] static HWY_INLINE auto start(int /*column*/) { return hn::Zero(gemm::IntTag()); }
  [[nodiscard]] HWY_INLINE auto of(int column) const {
    const gemm::FloatTag tag;
    return [scale = hn::LoadU(tag, scales + column), bias = edge_of(column, count)](
               hn::Vec<gemm::IntTag> sums, int /*row*/) {
      return hn::MulAdd(hn::ConvertTo(gemm::FloatTag(), sums), scale, bias);
    };
  }
};

/// The same for queries whose zero is not 0.
struct ShiftedKeyColumns : KeyColumns {
  const std::int32_t* starts;  ///< what the zeros add to sums, negative
  [[nodiscard]] HWY_INLINE auto start(int column) const {
    return hn::LoadU(gemm::IntTag(), starts + column);
  }
};

/// The same of integers, with a scale each.
struct ValueColumns {
  const float* scales;
  const float* row_factors;
  [[nodiscard]] static HWY_INLINE auto start(int /*column*/) { return hn::Zero(gemm::IntTag()); }
  [[nodiscard]] HWY_INLINE auto of(int column) const {
    return [scale = hn::LoadU(gemm::FloatTag(), scales + column), factors = row_factors](
               hn::Vec<gemm::IntTag> sums, int row) {
      const gemm::FloatTag tag;
      return hn::Mul(hn::Mul(hn::ConvertTo(tag, sums), scale), hn::Set(tag, factors[row]));
    };
  }
};

// Where the panels of a product lie. As function objects they ask for a line kAhead bytes ahead.

/// They were packed just before.
struct InL2 : gemm::ToL1 {
  static constexpr std::ptrdiff_t kAhead = gemm::kStreamAheadL1;
};

/// They are one of many heads' that follow each other: what is between two products must not keep
/// memory waiting, so the next head's is under way as well.
struct InMemory {
  static constexpr bool kShared = false;  ///< few rows: each tile asks for all that it reads
  static constexpr std::ptrdiff_t kAhead = 2048;
  static constexpr std::ptrdiff_t kNextHead = 32768;
  HWY_INLINE void operator()(const char* line) const {
    gemm::ToL1()(line);
    gemm::ToL2()(line + kNextHead);
  }
};

/// Where a tile begins.
struct Corner {
  int row;
  int column;
};

/// c [kRows, kPanels * kPanel] = a [kRows, units] times slices of panels.
template <class Units, class Source, class Columns, int kRows, int kPanels>
HWY_NOINLINE void tile_of_floats(const typename Units::Value* a, std::ptrdiff_t lda,
                                 const gemm::Slices<Units>& w, int units, const gemm::Ahead& ahead,
                                 const Columns& columns, Corner at, float* c, std::ptrdiff_t ldc) {
  constexpr int kWidth = kPanels * gemm::kVectors;
  hn::Vec<typename Units::SumTag> sum[kRows][kWidth];
#pragma GCC unroll 16
  for (int v = 0; v < kWidth; ++v) {
    const auto start = columns.start(at.column + v * gemm::kLanes);
#pragma GCC unroll 16
    for (int r = 0; r < kRows; ++r) sum[r][v] = start;
  }
  gemm::add_products<Units, kRows, kPanels>(a, lda, w, units, ahead, Source(), sum);
#pragma GCC unroll 16
  for (int v = 0; v < kWidth; ++v) {
    const auto value = columns.of(at.column + v * gemm::kLanes);
#pragma GCC unroll 16
    for (int r = 0; r < kRows; ++r) {
      hn::StoreU(value(sum[r][v], at.row + r), gemm::FloatTag(), c + r * ldc + v * gemm::kLanes);
    }
  }
}

template <class Units, class Columns>
using FloatTile = void (*)(const typename Units::Value*, std::ptrdiff_t, const gemm::Slices<Units>&,
                           int, const gemm::Ahead&, const Columns&, Corner, float*, std::ptrdiff_t);

/// The tile of `rows` rows, 1..gemm::kTileRows, and `panels` panels, 1..Units::kMostPanels.
template <class Units, class Source, class Columns>
HWY_INLINE FloatTile<Units, Columns> float_tile(int rows, int panels) {
  static constexpr auto kFunctions = []<std::size_t... kIndex>(std::index_sequence<kIndex...>) {
    return std::array<FloatTile<Units, Columns>, sizeof...(kIndex)>{
        tile_of_floats<Units, Source, Columns, kIndex % gemm::kTileRows + 1,
                       kIndex / gemm::kTileRows + 1>...};
  }
  (std::make_index_sequence<gemm::kTileRows * Units::kMostPanels>());
  return kFunctions[static_cast<std::size_t>((panels - 1) * gemm::kTileRows + rows - 1)];
}

/// c [m, n] = a [m, units] times panels of n columns. Few rows and no long sums, so nothing is cut
/// into slices: a tile goes from its sums to its place.
template <class Units, class Source, class Columns>
void multiply_units(const typename Units::Value* a, std::ptrdiff_t lda, int m,
                    const gemm::Panels<typename Units::Weight>& w, int n, const Columns& columns,
                    float* c, std::ptrdiff_t ldc) {
  const gemm::EvenParts tiles(m, gemm::kTileRows);
  const int most = gemm::tile_panels<Units>();
  int count = 0;
  for (int panel = w.begin; panel < w.end; panel += count) {
    count = gemm::panels_of_next(w.end - panel, most);
    gemm::Slices<Units> slices{};
    for (int p = 0; p < count; ++p) slices[static_cast<std::size_t>(p)] = w.at(panel + p, 0);
    const gemm::Ahead ahead{
        reinterpret_cast<const char*>(slices[0]) + Source::kAhead,
        w.unit_size * static_cast<std::ptrdiff_t>(sizeof(typename Units::Weight)),
        w.size * static_cast<std::ptrdiff_t>(sizeof(typename Units::Weight))};
    const int column = panel * kPanel;
    const bool whole = column + count * kPanel <= n;
    for (int t = 0; t < tiles.count(); ++t) {
      const int row = tiles.begin(t);
      const int size = tiles.size(t);
      const auto function = float_tile<Units, Source, Columns>(size, count);
      float* to = c + row * ldc + column;
      constexpr std::ptrdiff_t kWidth = Units::kMostPanels * kPanel;
      float part[gemm::kTileRows * kWidth];
      function(a + row * lda, lda, slices, w.units, ahead, columns, {row, column},
               whole ? to : part, whole ? ldc : kWidth);
      if (whole) continue;
      for (int r = 0; r < size; ++r) std::copy_n(part + r * kWidth, n - column, to + r * ldc);
    }
  }
}

}  // namespace
#endif  // KOBOLT_SIMD_TARGET
}  // namespace kobolt::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
