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
#include <type_traits>
#include <utility>

#include "hwy/highway.h"
#include "kernels/kernels.h"
#include "kernels/processor.h"
#include "kernels/simd/panel-inl.h"

// Matrix products for all number formats.
//
// Everything is counted in units along k, of 32 bits: one float, or one pair of int16 (int4 counts
// in groups of 32 inputs and has tiles of its own, groups-inl.h). A product is made of tiles of up
// to kTileRows rows by one panel of 16 columns, whose sums stay in registers for a run of units:
//
//   each unit:  kVectors loads of the panel, one broadcast a row, rows * kVectors multiply-adds
//
// With AVX2 that is 6 rows x 2 vectors = 12 sums, 2 registers for the panel and 1 or 2 for
// broadcasts: all 16 registers. 12 independent sums also cover the latency of two FMA units
// (4 cycles x 2 = 8) and need 8 loads for 12 FMAs, below the 2 loads a cycle of the load ports.
//
// With AVX-512 a panel is one vector, and a tile of one panel would load a broadcast for each
// multiply-add. There, tiles of many rows are 8 rows x 2 panels, 10 loads for 16 FMAs, or, where a
// core's other thread may take half of the instructions that it decodes (prefers_wide_tiles()),
// 8 rows x 3 panels: 35 instructions for 24 products, of floats 31.
HWY_BEFORE_NAMESPACE();
namespace kobolt::kernels::HWY_NAMESPACE {
#if KOBOLT_SIMD_TARGET
namespace {
namespace gemm {

namespace hn = hwy::HWY_NAMESPACE;

/// Rows of the largest tile.
constexpr int kTileRows = kSums / (kVectors * kTilePanels);

/// Units along k of one pass: the slices of a tile's panels are 16 KiB (AVX-512: 24), the rest of a
/// 32 KiB L1 data cache holds the rows of a tile (6 KiB) and what streams by.
constexpr int kDepth = HWY_TARGET == HWY_AVX3 ? 192 : 256;
/// Rows of one pass: 72 rows x 256 units are 72 KiB, well inside a 512 KiB L2 cache; 12 full tiles
/// share each slice that comes from L3 or memory. Processors with AVX-512 have 1 MiB of L2.
constexpr int kBlockRows = HWY_TARGET == HWY_AVX3 ? 144 : 72;
/// Up to this many rows, weights that are stored narrower are widened as they are loaded. Widening
/// a slice in advance would cost more than the two tiles that share it save.
constexpr int kNarrowRows = 2 * kTileRows;
/// Panels of one pass, whose partial sums (72 rows x 16 columns x 16 panels, 72 KiB; AVX-512: 162)
/// stay in L2 between two slices of k. Whole tiles of 2 and of 3 panels.
constexpr int kGroup = HWY_TARGET == HWY_AVX3 ? 18 : 16;
/// How far ahead of its use what streams by is fetched, in bytes: into L2, which can wait for more
/// lines of memory at a time than L1, or into L1, whose space and requests are few.
constexpr std::ptrdiff_t kStreamAhead = 12288;
constexpr std::ptrdiff_t kStreamAheadL1 = 4096;

/// Asks for a line of memory before it is used. Function objects, not functions: GCC 12 takes a
/// function that does nothing but fetch for one without effects, and drops calls by reference.
struct ToL1 {
  static constexpr bool kShared = true;  ///< by all tiles that pass over the same panels
  HWY_INLINE void operator()(const char* line) const { __builtin_prefetch(line, 0, 3); }
};
struct ToL2 {
  static constexpr bool kShared = true;
  HWY_INLINE void operator()(const char* line) const { __builtin_prefetch(line, 0, 2); }
};

/// Bytes that a tile asks the caches for while it computes, `step` for each unit and panel. The
/// hardware's own prefetchers stop at the end of each 4 KiB page, and see nothing of the jumps
/// between slices. Tiles are given a reference: to copy it, GCC would load in one piece what was
/// stored in two just before, and wait for the stores.
struct Ahead {
  const char* begin;
  std::ptrdiff_t step;
  std::ptrdiff_t panel_distance = 0;
};

/// A packed matrix as a product reads it: panels [begin, end) of `size` values, each `units` units
/// of `unit_size` values.
template <class Stored>
struct Panels {
  const Stored* data;
  std::ptrdiff_t size;
  std::ptrdiff_t unit_size;
  int units;
  int begin;
  int end;

  HWY_INLINE const Stored* at(int panel, int unit) const {
    return data + panel * size + unit * unit_size;
  }
};

/// Panels of a matrix whose number format has `Units`.
template <class Units, class Stored>
HWY_INLINE Panels<Stored> panels_of(const Stored* data, int units, int begin, int end) {
  return {.data = data,
          .size = units * Units::kStoredPerUnit,
          .unit_size = Units::kStoredPerUnit,
          .units = units,
          .begin = begin,
          .end = end};
}

/// Where a tile fetches weights to. A tile of several panels wants those of the next ones, which a
/// block of rows has time to bring all the way. Where a line of weights meets few multiplications,
/// one row, or up to 4 in fp32, nothing is gained by a stop between memory and L1 (measured).
template <class Units, int kRows, int kPanels>
using FetchOf = std::conditional_t<
    (kPanels > 1) || kRows <= (std::is_same_v<typename Units::Weight, float> ? 4 : 1), ToL1, ToL2>;

/// For many_rows: tiles take the weights as they are stored.
template <class Stored>
struct AsStored {
  Panels<Stored> w;
  HWY_INLINE const Stored* operator()(int /*place*/, int panel, int unit, int /*units*/) const {
    return w.at(panel, unit);
  }
};

/// Slices of the panels of one tile.
template <class Units>
using Slices = std::array<const typename Units::Weight*, kMostPanels>;

/// fp32: unit = one float.
struct FloatUnits {
  using Value = float;   // of a
  using Weight = float;  // of a panel
  using Sum = float;
  using SumTag = FloatTag;
  using Factor = hn::Vec<FloatTag>;
  static constexpr int kValuesPerUnit = 1;
  static constexpr std::ptrdiff_t kStoredPerUnit = kPanel;  // values of a panel in the file
  /// Two 512-bit loads for 16 FMAs: a slice may as well come from L2, and longer ones save sums
  /// that are stored and loaded again.
  static constexpr int kDepth = HWY_TARGET == HWY_AVX3 ? 768 : gemm::kDepth;
  static constexpr int kTileRows = gemm::kTileRows;
  static constexpr int kMostPanels = gemm::kMostPanels;

  static HWY_INLINE Factor broadcast(const float* a) { return hn::Set(FloatTag(), *a); }
  static HWY_INLINE Factor load(const float* w) { return hn::LoadU(FloatTag(), w); }
  static HWY_INLINE void multiply_add(Factor a, Factor w, Factor& sum) {
    sum = hn::MulAdd(a, w, sum);
  }
#if HWY_TARGET == HWY_AVX3
  static HWY_INLINE void multiply_add_from(const float* a, Factor w, Factor& sum) {
    asm("vfmadd231ps %[a]%{1to16%}, %[w], %[sum]"
        : [sum] "+v"(sum.raw)
        : [w] "v"(w.raw), [a] "m"(*a));
  }
#endif
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
  static constexpr int kTileRows = gemm::kTileRows;
  static constexpr int kMostPanels = kTilePanels;

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

/// Hides from the compiler where a pointer comes from, so that it stays one register and nothing
/// is precomputed from it.
template <class T>
HWY_INLINE void in_register(T*& pointer) {
  asm("" : "+r"(pointer));
}

/// Whether products take values of rows from memory, repeated for all columns, without an
/// instruction that loads them.
template <class Units>
constexpr bool kFromMemory = requires(const typename Units::Value* a, typename Units::Factor w,
                                      hn::Vec<typename Units::SumTag>& sum) {
  Units::multiply_add_from(a, w, sum);
};

/// sum [kRows][vectors of kPanels panels] += unit `at` of the rows times that of the panels.
template <class Units, class RowAt, class SlicesOf, int kRows, int kWidth>
HWY_INLINE void add_unit(const RowAt& rows, const SlicesOf& slices, std::ptrdiff_t at,
                         hn::Vec<typename Units::SumTag> (&sum)[kRows][kWidth]) {
  constexpr int kPer = Units::kValuesPerUnit;
  typename Units::Factor weights[kWidth];
#pragma GCC unroll 16
  for (int v = 0; v < kWidth; ++v) {
    weights[v] = Units::load(slices[v / kVectors] + (at * kPanel + v % kVectors * kLanes) * kPer);
  }
#pragma GCC unroll 16
  for (int r = 0; r < kRows; ++r) {
    const typename Units::Value* a = rows(r) + at * kPer;
    // Every other row: to load all values for each panel would be more than the load ports do.
    if constexpr (kFromMemory<Units> && kWidth > 1 && kRows > 6) {
      if (r % 2 == 1) {
#pragma GCC unroll 16
        for (int v = 0; v < kWidth; ++v) Units::multiply_add_from(a, weights[v], sum[r][v]);
        continue;
      }
    }
    const auto value = Units::broadcast(a);
#pragma GCC unroll 16
    for (int v = 0; v < kWidth; ++v) Units::multiply_add(value, weights[v], sum[r][v]);
  }
}

/// The rows of a tile, moved along. Every other row has a pointer, and the one before it is found
/// from there: x86 has 15 registers for all that a tile needs, and what reads a value for a product
/// is one instruction only where a single register is its address.
template <class Value, int kRows>
class MovingRows {
 public:
  HWY_INLINE MovingRows(const Value* a, std::ptrdiff_t lda) : back_(-lda) {
#pragma GCC unroll 8
    for (int i = 0; i < kPointers; ++i) at_[i] = a + std::min(2 * i + 1, kRows - 1) * lda;
    asm("" : "+r"(back_));
  }
  [[nodiscard]] HWY_INLINE const Value* operator()(int row) const {
    return row % 2 == 0 && row + 1 < kRows ? at_[row / 2] + back_ : at_[row / 2];
  }
  HWY_INLINE void move(std::ptrdiff_t by) {
#pragma GCC unroll 8
    for (const Value*& at : at_) {
      at += by;
      in_register(at);
    }
  }

 private:
  static constexpr int kPointers = (kRows + 1) / 2;
  const Value* at_[kPointers];
  std::ptrdiff_t back_;
};

/// sum [kRows][vectors of kPanels panels] += a [kRows, units] times slices [units][kPanel] of
/// panels. fetch(line) asks for a line of what is ahead.
template <class Units, int kRows, int kPanels, class Fetch>
HWY_INLINE void add_products(const typename Units::Value* HWY_RESTRICT a, std::ptrdiff_t lda,
                             const Slices<Units>& w, int units, const Ahead& ahead,
                             const Fetch& fetch,
                             hn::Vec<typename Units::SumTag> (&sum)[kRows][kPanels * kVectors]) {
  const char* next = ahead.begin;
  const std::ptrdiff_t panel_distance = ahead.panel_distance;
  if constexpr (HWY_ARCH_X86 && kRows > 6) {
    // What moves pointers and fetches would be a fourth of all instructions, unit by unit. A core
    // whose other thread is busy decodes but three in a cycle, and computes two.
    constexpr int kTogether = 4;
    // Tiles of several panels share their fetching, two or more those of 2 panels, kManyTiles or
    // more those of 3: the rest would ask for lines again.
    constexpr int kFetches = kPanels == 1 || !Fetch::kShared ? kTogether
                             : kPanels == 2                  ? kTogether / 2
                                                             : 1;
    MovingRows<typename Units::Value, kRows> rows(a, lda);
    const typename Units::Weight* slices[kPanels];
#pragma GCC unroll 4
    for (int p = 0; p < kPanels; ++p) slices[p] = w[static_cast<std::size_t>(p)];
    const auto move = [&](std::ptrdiff_t by) {
      rows.move(by * Units::kValuesPerUnit);
#pragma GCC unroll 4
      for (auto& slice : slices) {
        slice += by * kPanel * Units::kValuesPerUnit;
        in_register(slice);
      }
    };
    move(0);
    const std::ptrdiff_t step = ahead.step * (kTogether / kFetches);
    for (int turns = units / kTogether; turns > 0; --turns) {
#pragma GCC unroll 4
      for (int f = 0; f < kFetches; ++f) {
#pragma GCC unroll 4
        for (int p = 0; p < kPanels; ++p) fetch(next + p * panel_distance);
        next += step;
        in_register(next);
      }
#pragma GCC unroll 8
      for (int u = 0; u < kTogether; ++u) add_unit<Units>(rows, slices, u, sum);
      move(kTogether);
    }
    for (int left = units % kTogether; left > 0; --left) {
      add_unit<Units>(rows, slices, 0, sum);
      move(1);
    }
  } else {
    for (std::ptrdiff_t l = 0; l < units; ++l) {
#pragma GCC unroll 4
      for (int p = 0; p < kPanels; ++p) fetch(next + p * panel_distance);
      next += ahead.step;
      const auto rows = [&](int r) { return a + r * lda; };
      add_unit<Units>(rows, w, l, sum);
    }
  }
}

/// sums [kPanels][kRows][kPanel] (+)= a [kRows, units] times slices [units][kPanel] of panels. The
/// sums of two panels are `sums_distance` apart.
template <class Units, int kRows, int kPanels>
HWY_INLINE void tile(const typename Units::Value* HWY_RESTRICT a, std::ptrdiff_t lda,
                     const Slices<Units>& w, int units, const Ahead& ahead, bool accumulate,
                     typename Units::Sum* HWY_RESTRICT sums, std::ptrdiff_t sums_distance) {
  constexpr int kWidth = kPanels * kVectors;
  constexpr typename Units::SumTag tag;
  typename Units::Sum* out[kPanels];
#pragma GCC unroll 4
  for (int p = 0; p < kPanels; ++p) {
    out[p] = sums + p * sums_distance;
    if constexpr (kPanels > 1) in_register(out[p]);
  }
  const auto place = [&](int r, int v) {
    return out[v / kVectors] + r * kPanel + v % kVectors * kLanes;
  };
  hn::Vec<typename Units::SumTag> sum[kRows][kWidth];
#pragma GCC unroll 16
  for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 16
    for (int v = 0; v < kWidth; ++v) {
      sum[r][v] = accumulate ? hn::LoadU(tag, place(r, v)) : hn::Zero(tag);
    }
  }
  add_products<Units, kRows, kPanels>(a, lda, w, units, ahead, FetchOf<Units, kRows, kPanels>(),
                                      sum);
#pragma GCC unroll 16
  for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 16
    for (int v = 0; v < kWidth; ++v) hn::StoreU(sum[r][v], tag, place(r, v));
  }
}

template <class Units>
using TileFunction = void (*)(const typename Units::Value*, std::ptrdiff_t, const Slices<Units>&,
                              int, const Ahead&, bool, typename Units::Sum*, std::ptrdiff_t);

template <class Units, int kRows, int kPanels>
HWY_NOINLINE void tile_of(const typename Units::Value* a, std::ptrdiff_t lda,
                          const Slices<Units>& w, int units, const Ahead& ahead, bool accumulate,
                          typename Units::Sum* sums, std::ptrdiff_t sums_distance) {
  if constexpr (requires { typename Units::SumTag; }) {
    tile<Units, kRows, kPanels>(a, lda, w, units, ahead, accumulate, sums, sums_distance);
  } else {
    Units::template tile<kRows, kPanels>(a, lda, w, units, ahead, accumulate, sums, sums_distance);
  }
}

/// The tile of `rows` rows, 1..Units::kTileRows, and `panels` panels, 1..kMost.
template <class Units, int kMost = 1>
HWY_INLINE TileFunction<Units> tile_function(int rows, int panels = 1) {
  static constexpr auto kFunctions = []<std::size_t... kIndex>(std::index_sequence<kIndex...>) {
    return std::array<TileFunction<Units>, sizeof...(kIndex)>{
        tile_of<Units, kIndex % Units::kTileRows + 1, kIndex / Units::kTileRows + 1>...};
  }
  (std::make_index_sequence<Units::kTileRows * kMost>());
  return kFunctions[static_cast<std::size_t>((panels - 1) * Units::kTileRows + rows - 1)];
}

/// Splits `total` into as few parts of at most `most` as possible, and those evenly: 32 rows are
/// 6+6+5+5+5+5, not 6+6+6+6+6+2, whose last tile would leave most of the registers idle.
class EvenParts {
 public:
  /// A total of 0 is one empty part: an empty product must still be stored.
  EvenParts(int total, int most)
      : count_(std::max(1, (total + most - 1) / most)),
        least_(total / count_),
        larger_(total % count_) {}
  [[nodiscard]] int count() const { return count_; }
  [[nodiscard]] int begin(int part) const { return part * least_ + std::min(part, larger_); }
  [[nodiscard]] int size(int part) const { return least_ + (part < larger_ ? 1 : 0); }

 private:
  int count_;
  int least_;   // size of a part
  int larger_;  // parts with one more, the first ones
};

/// How far ahead a tile of 1..kTileRows rows and one panel fetches its weights, in bytes.
template <class Units, int kRows = Units::kTileRows>
constexpr std::ptrdiff_t stream_ahead(int rows) {
  if constexpr (kRows > 1) {
    if (rows < kRows) return stream_ahead<Units, kRows - 1>(rows);
  }
  return std::is_same_v<FetchOf<Units, kRows, 1>, ToL1> ? kStreamAheadL1 : kStreamAhead;
}

/// A few rows (one tile): each panel streams through once, from memory if it must. finish(sums,
/// row, rows, panel) takes the sums [rows][kPanel].
template <class Units, class Finish>
HWY_INLINE void few_rows(const typename Units::Value* a, std::ptrdiff_t lda, int m,
                         const Panels<typename Units::Weight>& w, const Finish& finish) {
  const std::ptrdiff_t unit_bytes =
      w.unit_size * static_cast<std::ptrdiff_t>(sizeof(typename Units::Weight));
  const TileFunction<Units> function = tile_function<Units>(m);
  const std::ptrdiff_t distance = stream_ahead<Units>(m);
  alignas(64) typename Units::Sum sums[Units::kTileRows * kPanel];
  for (int panel = w.begin; panel < w.end; ++panel) {
    const typename Units::Weight* weights = w.at(panel, 0);
    const Ahead ahead{reinterpret_cast<const char*>(weights) + distance, unit_bytes};
    function(a, lda, {weights}, w.units, ahead, false, sums, 0);
    finish(sums, 0, m, panel);
  }
}

/// Panels of the largest tile on this processor.
template <class Units>
HWY_INLINE int tile_panels() {
  static const int kPanels = prefers_wide_tiles() ? Units::kMostPanels : kTilePanels;
  return kPanels;
}

/// Tiles have more than kTilePanels panels where so many share a slice: what it fetches of the next
/// ones is each tile's share for so many.
constexpr int kManyTiles = 4;

/// Panels of the next tile, of those that are left: 4 are 2 and 2, not 3 and 1.
HWY_INLINE int panels_of_next(int left, int most) {
  return most > 2 && left == most + 1 ? 2 : std::min(left, most);
}

/// Many rows: slices of the panels of a tile stay in L1 while all tiles of a block of rows pass
/// over them. prepare(place, panel, unit, units) gives a slice of the stored weights in the form
/// that tiles want; `place` counts the panels of a tile. A pass is over kRows rows and kPass
/// panels.
template <class Units, int kRows = kBlockRows, int kPass = kGroup, class Stored, class Prepare,
          class Finish>
HWY_INLINE void many_rows(const typename Units::Value* a, std::ptrdiff_t lda, int m,
                          const Panels<Stored>& w, const Prepare& prepare, const Finish& finish) {
  constexpr int kPer = Units::kValuesPerUnit;
  const std::ptrdiff_t unit_bytes = w.unit_size * static_cast<std::ptrdiff_t>(sizeof(Stored));
  constexpr std::ptrdiff_t kSumsDistance = kRows * kPanel;
  alignas(64) typename Units::Sum sums[kPass][kSumsDistance];
  const EvenParts blocks(m, kRows);
  const EvenParts depths(w.units, Units::kDepth);
  for (int block = 0; block < blocks.count(); ++block) {
    const int block_begin = blocks.begin(block);
    const EvenParts tiles(blocks.size(block), Units::kTileRows);
    const int most = tiles.count() < kManyTiles ? kTilePanels : tile_panels<Units>();
    for (int group = w.begin; group < w.end; group += kPass) {
      const int group_end = std::min(group + kPass, w.end);
      for (int depth = 0; depth < depths.count(); ++depth) {
        const int unit = depths.begin(depth);
        const int size = depths.size(depth);
        const bool last = depth + 1 == depths.count();
        int count = 0;
        for (int panel = group; panel < group_end; panel += count) {
          count = panels_of_next(group_end - panel, most);
          Slices<Units> slices{};
          for (int p = 0; p < count; ++p) {
            slices[static_cast<std::size_t>(p)] = prepare(p, panel + p, unit, size);
          }
          // The tiles share the fetching of the slices that come next.
          const int next = panel + count;
          const bool turn = next == group_end;
          const Stored* fetched = !turn  ? w.at(next, unit)
                                  : last ? w.at(next, 0)
                                         : w.at(group, unit + size);
          Ahead ahead{reinterpret_cast<const char*>(fetched),
                      (unit_bytes + tiles.count() - 1) / tiles.count(),
                      w.size * static_cast<std::ptrdiff_t>(sizeof(Stored))};
          // With a single slice nothing waits for the next one: the sums of one tile, always in L1.
          const bool waits = depths.count() > 1;
          auto* panel_sums = sums[waits ? panel - group : 0];
          // What the next tile will be stored to is asked for while this one is stored, a panel at
          // a time: all lines at once would be more than L1 can wait for.
          const auto fetch_results = [&](int t, int of_panel) {
            finish.fetch(block_begin + tiles.begin(t), tiles.size(t), of_panel);
          };
          for (int p = 0; last && p < count; ++p) fetch_results(0, panel + p);
          for (int t = 0; t < tiles.count(); ++t) {
            const int row = tiles.begin(t);
            const int rows = tiles.size(t);
            const TileFunction<Units> function =
                tile_function<Units, Units::kMostPanels>(rows, count);
            auto* tile_sums = panel_sums + (waits ? row * kPanel : 0);
            function(a + (block_begin + row) * lda + unit * kPer, lda, slices, size, ahead,
                     depth > 0, tile_sums, kSumsDistance);
            ahead.begin += ahead.step * size;
            if (!last) continue;
            for (int p = 0; p < count; ++p) {
              if (t + 1 < tiles.count()) fetch_results(t + 1, panel + p);
              finish(tile_sums + p * kSumsDistance, block_begin + row, rows, panel + p);
            }
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
