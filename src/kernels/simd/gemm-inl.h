// No #pragma once: foreach_target includes this once for each target.
#if defined(KOBOLT_KERNELS_GEMM_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef KOBOLT_KERNELS_GEMM_INL_H_
#undef KOBOLT_KERNELS_GEMM_INL_H_
#else
#define KOBOLT_KERNELS_GEMM_INL_H_
#endif

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "hwy/highway.h"
#include "kernels/kernels.h"
#include "kernels/simd/panel-inl.h"

// Matrix products for all number formats.
//
// Everything is counted in units along k, of 32 bits: one float, or one pair of int16 (int4 counts
// in groups of 16 pairs and has tiles of its own, gemm_i4_simd.cc). A product is
// made of tiles of up to kTileRows rows by one panel of 16 columns, whose sums stay in registers
// for a run of units:
//
//   each unit:  kVectors loads of the panel, one broadcast a row, rows * kVectors multiply-adds
//
// With AVX2 that is 6 rows x 2 vectors = 12 sums, 2 registers for the panel and 1 or 2 for
// broadcasts: all 16 registers. 12 independent sums also cover the latency of two FMA units
// (4 cycles x 2 = 8) and need 8 loads for 12 FMAs, below the 2 loads a cycle of the load ports.
HWY_BEFORE_NAMESPACE();
namespace kobolt::kernels::HWY_NAMESPACE {
#if KOBOLT_SIMD_TARGET
namespace {
namespace gemm {

namespace hn = hwy::HWY_NAMESPACE;

/// Rows of the largest tile.
constexpr int kTileRows = kSums / kVectors;

/// Units along k of one pass: a 16-column slice of 256 units is 16 KiB, half of a 32 KiB L1 data
/// cache; the other half holds the rows of a tile (6 KiB) and what streams by.
constexpr int kDepth = 256;
/// Rows of one pass: 72 rows x 256 units are 72 KiB, well inside a 512 KiB L2 cache; 12 full tiles
/// share each slice that comes from L3 or memory.
constexpr int kBlockRows = 72;
/// Up to this many rows, weights that are stored narrower are widened as they are loaded. Widening
/// a slice in advance would cost more than the two tiles that share it save.
constexpr int kNarrowRows = 2 * kTileRows;
/// Panels of one pass, whose partial sums (72 rows x 16 columns x 16 panels, 72 KiB) stay in L2
/// between two slices of k.
constexpr int kGroup = 16;
/// How far ahead of its use a panel that streams by is fetched, in bytes.
constexpr std::ptrdiff_t kStreamAhead = 2048;

/// Bytes that a tile asks the caches for while it computes, `step` for each unit. The hardware's
/// own prefetchers stop at the end of each 4 KiB page, and see nothing of the jumps between slices.
struct Ahead {
  const char* begin;
  std::ptrdiff_t step;
};

/// fp32: unit = one float.
struct FloatUnits {
  using Value = float;   // of a
  using Weight = float;  // of a panel
  using Sum = float;
  using SumTag = FloatTag;
  using Factor = hn::Vec<FloatTag>;
  static constexpr int kValuesPerUnit = 1;
  static constexpr std::ptrdiff_t kStoredPerUnit = kPanel;  // values of a panel in the file
  static constexpr int kDepth = gemm::kDepth;

  static HWY_INLINE Factor broadcast(const float* a) { return hn::Set(FloatTag(), *a); }
  static HWY_INLINE Factor load(const float* w) { return hn::LoadU(FloatTag(), w); }
  static HWY_INLINE void multiply_add(Factor a, Factor w, Factor& sum) {
    sum = hn::MulAdd(a, w, sum);
  }
};

/// Unit = a pair of int16, weights already widened to int16 and in pair_order.
template <class Products>
struct WidePairs {
  using Value = std::int16_t;
  using Weight = std::int16_t;
  using Sum = std::int32_t;
  using SumTag = IntTag;
  using Factor = hn::Vec<PairTag>;
  static constexpr int kValuesPerUnit = 2;
  static constexpr std::ptrdiff_t kStoredPerUnit = kPanel * 2;
  static constexpr int kDepth = gemm::kDepth;

  static HWY_INLINE Factor broadcast(const std::int16_t* a) {
    std::int32_t pair;
    std::memcpy(&pair, a, sizeof(pair));
    return hn::BitCast(PairTag(), hn::Set(IntTag(), pair));
  }
  static HWY_INLINE Factor load(const std::int16_t* w) { return hn::LoadU(PairTag(), w); }
  static HWY_INLINE void multiply_add(Factor a, Factor w, hn::Vec<IntTag>& sum) {
    Products::add(a, w, sum);
  }
};

/// Unit = a pair of int16, weights as they are stored (int8).
template <class Products>
struct NarrowPairs : WidePairs<Products> {
  using Weight = std::int8_t;
  static HWY_INLINE hn::Vec<PairTag> load(const std::int8_t* w) {
    return pair_order(hn::PromoteTo(PairTag(), hn::LoadU(ByteTag(), w)));
  }
};

/// sums [kRows][kPanel] (+)= a [kRows, units] times one panel slice [units][kPanel].
template <class Units, int kRows>
HWY_INLINE void tile(const typename Units::Value* HWY_RESTRICT a, std::ptrdiff_t lda,
                     const typename Units::Weight* HWY_RESTRICT w, int units, Ahead ahead,
                     bool accumulate, typename Units::Sum* HWY_RESTRICT sums) {
  constexpr int kPer = Units::kValuesPerUnit;
  constexpr typename Units::SumTag tag;
  hn::Vec<typename Units::SumTag> sum[kRows][kVectors];
#pragma GCC unroll 16
  for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 16
    for (int v = 0; v < kVectors; ++v) {
      sum[r][v] = accumulate ? hn::LoadU(tag, sums + r * kPanel + v * kLanes) : hn::Zero(tag);
    }
  }
  for (std::ptrdiff_t l = 0; l < units; ++l) {
    __builtin_prefetch(ahead.begin);
    ahead.begin += ahead.step;
    typename Units::Factor weights[kVectors];
#pragma GCC unroll 16
    for (int v = 0; v < kVectors; ++v) {
      weights[v] = Units::load(w + (l * kPanel + v * kLanes) * kPer);
    }
#pragma GCC unroll 16
    for (int r = 0; r < kRows; ++r) {
      const auto value = Units::broadcast(a + r * lda + l * kPer);
#pragma GCC unroll 16
      for (int v = 0; v < kVectors; ++v) {
        Units::multiply_add(value, weights[v], sum[r][v]);
      }
    }
  }
#pragma GCC unroll 16
  for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 16
    for (int v = 0; v < kVectors; ++v) {
      hn::StoreU(sum[r][v], tag, sums + r * kPanel + v * kLanes);
    }
  }
}

template <class Units>
using TileFunction = void (*)(const typename Units::Value*, std::ptrdiff_t,
                              const typename Units::Weight*, int, Ahead, bool,
                              typename Units::Sum*);

template <class Units, int kRows>
HWY_NOINLINE void tile_of(const typename Units::Value* a, std::ptrdiff_t lda,
                          const typename Units::Weight* w, int units, Ahead ahead, bool accumulate,
                          typename Units::Sum* sums) {
  if constexpr (requires { typename Units::SumTag; }) {
    tile<Units, kRows>(a, lda, w, units, ahead, accumulate, sums);
  } else {
    Units::template tile<kRows>(a, lda, w, units, ahead, accumulate, sums);
  }
}

/// The tile of `rows` rows, 1..kTileRows.
template <class Units>
HWY_INLINE TileFunction<Units> tile_function(int rows) {
  static constexpr auto kFunctions = []<std::size_t... kIndex>(std::index_sequence<kIndex...>) {
    return std::array<TileFunction<Units>, kTileRows>{tile_of<Units, kIndex + 1>...};
  }
  (std::make_index_sequence<kTileRows>());
  return kFunctions[static_cast<std::size_t>(rows - 1)];
}

/// Splits `total` into as few parts of at most `most` as possible, and those evenly: 32 rows are
/// 6+6+5+5+5+5, not 6+6+6+6+6+2, whose last tile would leave most of the registers idle.
class EvenParts {
 public:
  /// A total of 0 is one empty part: an empty product must still be stored.
  EvenParts(int total, int most) : count_(std::max(1, (total + most - 1) / most)), total_(total) {}
  [[nodiscard]] int count() const { return count_; }
  [[nodiscard]] int begin(int part) const {
    return part * (total_ / count_) + std::min(part, total_ % count_);
  }
  [[nodiscard]] int size(int part) const { return begin(part + 1) - begin(part); }

 private:
  int count_;
  int total_;
};

/// A few rows (one tile): each panel streams through once, from memory if it must. finish(sums,
/// row, rows, panel) takes the sums [rows][kPanel].
template <class Units, class Finish>
HWY_INLINE void few_rows(const typename Units::Value* a, std::ptrdiff_t lda, int m,
                         const typename Units::Weight* w, int units, int panel_begin, int panel_end,
                         const Finish& finish) {
  constexpr std::ptrdiff_t kUnitSize = Units::kStoredPerUnit;
  constexpr std::ptrdiff_t kUnitBytes = kUnitSize * sizeof(typename Units::Weight);
  const TileFunction<Units> function = tile_function<Units>(m);
  alignas(64) typename Units::Sum sums[kTileRows * kPanel];
  for (int panel = panel_begin; panel < panel_end; ++panel) {
    const typename Units::Weight* weights = w + panel * units * kUnitSize;
    const Ahead ahead{reinterpret_cast<const char*>(weights) + kStreamAhead, kUnitBytes};
    function(a, lda, weights, units, ahead, false, sums);
    finish(sums, 0, m, panel);
  }
}

/// Many rows: a slice of a panel stays in L1 while all tiles of a block of rows pass over it.
/// prepare(slice, units) turns a slice of the stored weights into what the tiles want.
template <class Units, class Stored, class Prepare, class Finish>
HWY_INLINE void many_rows(const typename Units::Value* a, std::ptrdiff_t lda, int m,
                          const Stored* w, int units, int panel_begin, int panel_end,
                          const Prepare& prepare, const Finish& finish) {
  constexpr int kPer = Units::kValuesPerUnit;
  constexpr std::ptrdiff_t kUnitBytes = Units::kStoredPerUnit * sizeof(Stored);
  const auto stored = [w, units](int panel, int unit) {
    return w + (static_cast<std::ptrdiff_t>(panel) * units + unit) * Units::kStoredPerUnit;
  };
  alignas(64) typename Units::Sum sums[kGroup][kBlockRows * kPanel];
  const EvenParts blocks(m, kBlockRows);
  const EvenParts depths(units, Units::kDepth);
  for (int block = 0; block < blocks.count(); ++block) {
    const int block_begin = blocks.begin(block);
    const EvenParts tiles(blocks.size(block), kTileRows);
    for (int group = panel_begin; group < panel_end; group += kGroup) {
      const int group_end = std::min(group + kGroup, panel_end);
      for (int depth = 0; depth < depths.count(); ++depth) {
        const int unit = depths.begin(depth);
        const bool last = depth + 1 == depths.count();
        for (int panel = group; panel < group_end; ++panel) {
          const int size = depths.size(depth);
          const typename Units::Weight* weights = prepare(stored(panel, unit), size);
          // The tiles share the fetching of the slice that comes next.
          const Stored* next = panel + 1 < group_end ? stored(panel + 1, unit)
                               : last                ? stored(group_end, 0)
                                                     : stored(group, unit + size);
          Ahead ahead{reinterpret_cast<const char*>(next),
                      (kUnitBytes + tiles.count() - 1) / tiles.count()};
          // With a single slice nothing waits for the next one: one buffer, always in L1.
          auto* panel_sums = sums[depths.count() == 1 ? 0 : panel - group];
          for (int t = 0; t < tiles.count(); ++t) {
            const int row = tiles.begin(t);
            const int rows = tiles.size(t);
            tile_function<Units>(rows)(a + (block_begin + row) * lda + unit * kPer, lda, weights,
                                       size, ahead, depth > 0, panel_sums + row * kPanel);
            ahead.begin += ahead.step * size;
            if (last) finish(panel_sums + row * kPanel, block_begin + row, rows, panel);
          }
        }
      }
    }
  }
}

}  // namespace gemm
}  // namespace
#endif  // KOBOLT_SIMD_TARGET
}  // namespace kobolt::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
