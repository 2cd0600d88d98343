#include "kernels/simd/targets.h"
// Order matters: targets.h comes first, and foreach_target.h includes this file once a target.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/simd/sparse_simd.cc"  // NOLINT
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "kernels/simd/declarations-inl.h"
#include "kernels/simd/finish-inl.h"
#include "kernels/simd/formats-inl.h"
#include "kernels/simd/gemm-inl.h"
#include "kernels/simd/sparse-inl.h"
#include "kernels/simd/turned-inl.h"

// Products of matrices with many zeros: a slice of a panel is made dense, or its activations are
// gathered, and then the tiles of dense products do the arithmetic. All rows of a block share what
// a slice costs; for a single row it is hidden behind reading memory, as far as that is slower.
HWY_BEFORE_NAMESPACE();
namespace kobolt::kernels::HWY_NAMESPACE {
#if KOBOLT_SIMD_TARGET
namespace {

/// Rows that share a slice: their gathered activations and the slice stay in L2, those of one tile
/// and the slice in L1.
constexpr int kSparseRows = 24;
/// Inputs k of a slice in the form `blocks`. About half of them are kept.
constexpr int kBlockSlice = 512;
/// Distance of two rows of gathered activations: one may be left from the slice before, compress
/// writes beyond the end, and a power of two would put all rows at the same place of the cache.
constexpr std::ptrdiff_t kGatheredRow = kBlockSlice + 16;

/// Adds the products of rows [m, units] with a slice to the sums.
template <class Units>
HWY_INLINE void multiply_slice(const typename Units::Value* a, std::ptrdiff_t lda,
                               const typename Units::Weight* weights, int units,
                               const gemm::EvenParts& tiles, const char* streamed, bool accumulate,
                               typename Units::Sum* sums) {
  constexpr std::ptrdiff_t kUnitBytes = Units::kStoredPerUnit * sizeof(typename Units::Weight);
  for (int t = 0; t < tiles.count(); ++t) {
    const int row = tiles.begin(t);
    const gemm::Ahead ahead{streamed, t == 0 ? kUnitBytes : 0};
    gemm::tile_function<Units>(tiles.size(t))(a + row * lda, lda, {weights}, units, ahead,
                                              accumulate, sums + row * kPanel, 0);
  }
}

/// The form `values`: a block has as many rows as in dense products, because expanding a slice
/// costs as much as the products of a dozen rows with it. prepare(slice, units) turns a slice of
/// stored values into what tiles want.
template <class Units, class Packed, class Prepare, class Finish>
HWY_INLINE void multiply_values(const typename Units::Value* a, std::ptrdiff_t lda, int m,
                                const Sparse<Packed>& w, int panel_begin, int panel_end,
                                const Prepare& prepare, const Finish& finish) {
  using Stored = StoredOf<Packed>;
  constexpr int kPer = Units::kValuesPerUnit;
  constexpr int kUnitSize = static_cast<int>(Units::kStoredPerUnit);
  alignas(64) Stored slice[gemm::kDepth * kUnitSize];
  alignas(64) typename Units::Sum sums[gemm::kBlockRows * kPanel];
  const std::uint64_t stride = mask_bytes(w.form, sizeof(Stored), w.kept.k);
  const int total = (w.kept.k + kPer - 1) / kPer;
  const gemm::EvenParts blocks(m, gemm::kBlockRows);
  const gemm::EvenParts depths(total, gemm::kDepth);
  for (int block = 0; block < blocks.count(); ++block) {
    const auto* rows = a + blocks.begin(block) * lda;
    const gemm::EvenParts tiles(blocks.size(block), gemm::kTileRows);
    for (int panel = panel_begin; panel < panel_end; ++panel) {
      const std::uint8_t* mask = w.masks + static_cast<std::uint64_t>(panel) * stride;
      const Stored* kept = w.kept.data + w.starts[panel];
      for (int depth = 0; depth < depths.count(); ++depth) {
        const int unit = depths.begin(depth);
        const int units = depths.size(depth);
        kept = sparse::expand(kept, mask + static_cast<std::ptrdiff_t>(unit) * kUnitSize / 8, units,
                              kUnitSize, slice);
        multiply_slice<Units>(rows + unit * kPer, lda, prepare(slice, units), units, tiles,
                              reinterpret_cast<const char*>(slice), depth > 0, sums);
      }
      finish(sums, blocks.begin(block), blocks.size(block), panel);
    }
  }
}

/// The form `blocks`.
template <class Units, class Packed, class Prepare, class Finish>
HWY_INLINE void multiply_blocks(const typename Units::Value* a, std::ptrdiff_t lda, int m,
                                const Sparse<Packed>& w, int panel_begin, int panel_end,
                                const Prepare& prepare, const Finish& finish) {
  using Stored = StoredOf<Packed>;
  using Value = typename Units::Value;
  constexpr int kPer = Units::kValuesPerUnit;
  alignas(64) Value gathered[kSparseRows * kGatheredRow];
  alignas(64) typename Units::Sum sums[kSparseRows * kPanel];
  const std::uint64_t stride = mask_bytes(w.form, sizeof(Stored), w.kept.k);
  const gemm::EvenParts blocks(m, kSparseRows);
  for (int block = 0; block < blocks.count(); ++block) {
    const int row_count = blocks.size(block);
    const Value* rows = a + blocks.begin(block) * lda;
    const gemm::EvenParts tiles(row_count, gemm::kTileRows);
    const std::ptrdiff_t ahead = gemm::stream_ahead<Units>(tiles.size(0));
    for (int panel = panel_begin; panel < panel_end; ++panel) {
      const std::uint8_t* mask = w.masks + static_cast<std::uint64_t>(panel) * stride;
      const Stored* kept = w.kept.data + w.starts[panel];
      int units = 0;
      int left = 0;  // activations of the slice before that wait for the other one of their pair
      int begin = 0;
      do {
        const int size = std::min(kBlockSlice, w.kept.k - begin);
        const bool last = begin + size == w.kept.k;
        const std::uint8_t* bits = mask + begin / 8;
        const int count = left + sparse::count_bits(bits, size);
        const int before = units;
        units = last ? (count + kPer - 1) / kPer : count / kPer;
        for (int row = 0; row < row_count; ++row) {
          Value* out = gathered + row * kGatheredRow;
          if (left != 0) *out = out[before * kPer];
          Value* end = sparse::compress(rows + row * lda + begin, bits, size, out + left);
          *end = 0;  // completes the last pair
        }
        multiply_slice<Units>(gathered, kGatheredRow, prepare(kept, units), units, tiles,
                              reinterpret_cast<const char*>(kept) + ahead, begin > 0, sums);
        kept += units * Units::kStoredPerUnit;
        left = last ? 0 : count % kPer;
        begin += size;
      } while (begin < w.kept.k);
      finish(sums, blocks.begin(block), row_count, panel);
    }
  }
}

/// sums [kRows][kPanel] (+)= the products of activations x [k][kTileRows], of which `places` says
/// where those of each unit lie, with a slice.
template <class Units, int kRows>
HWY_NOINLINE void indexed_tile(const float* HWY_RESTRICT x, const std::int32_t* HWY_RESTRICT places,
                               const typename Units::Weight* HWY_RESTRICT w, int units,
                               bool accumulate, float* HWY_RESTRICT sums) {
  const FloatTag tag;
  hn::Vec<FloatTag> sum[kRows][kVectors];
#pragma GCC unroll 16
  for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 16
    for (int v = 0; v < kVectors; ++v) {
      sum[r][v] = accumulate ? hn::LoadU(tag, sums + r * kPanel + v * kLanes) : hn::Zero(tag);
    }
  }
  for (std::ptrdiff_t l = 0; l < units; ++l) {
    const float* values = x + places[l];
    typename Units::Factor weights[kVectors];
#pragma GCC unroll 16
    for (int v = 0; v < kVectors; ++v) weights[v] = Units::load(w + l * kPanel + v * kLanes);
#pragma GCC unroll 16
    for (int r = 0; r < kRows; ++r) {
      const auto value = Units::broadcast(values + r);
#pragma GCC unroll 16
      for (int v = 0; v < kVectors; ++v) Units::multiply_add(value, weights[v], sum[r][v]);
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
using IndexedTile = void (*)(const float*, const std::int32_t*, const typename Units::Weight*, int,
                             bool, float*);

template <class Units>
HWY_INLINE IndexedTile<Units> indexed_tile_function(int rows) {
  static constexpr auto kFunctions = []<std::size_t... kIndex>(std::index_sequence<kIndex...>) {
    return std::array<IndexedTile<Units>, gemm::kTileRows>{indexed_tile<Units, kIndex + 1>...};
  }
  (std::make_index_sequence<gemm::kTileRows>());
  return kFunctions[static_cast<std::size_t>(rows - 1)];
}

/// Panels that share transposed activations; their sums wait in L2 for the next slice.
constexpr int kIndexedGroup = 32;

/// The form `blocks` for many rows of floats. Gathering would cost a third of the arithmetic; here
/// activations are transposed once for a group of panels, [k][kTileRows] for each tile, and a tile
/// finds those of a kept input by its place: one more load for a whole column of the tile.
template <class Units, class Packed, class Prepare, class Finish>
HWY_INLINE void multiply_blocks_by_place(const float* a, std::ptrdiff_t lda, int m,
                                         const Sparse<Packed>& w, int panel_begin, int panel_end,
                                         const Prepare& prepare, const Finish& finish) {
  using Stored = StoredOf<Packed>;
  constexpr int kTileRows = gemm::kTileRows;
  constexpr int kTiles = (kSparseRows + kTileRows - 1) / kTileRows;
  alignas(64) float turned[kTiles][kBlockSlice * kTileRows];
  alignas(64) float sums[kIndexedGroup][kSparseRows * kPanel];
  std::int32_t places[kBlockSlice];
  const Stored* kept[kIndexedGroup];
  const std::uint64_t stride = mask_bytes(w.form, sizeof(Stored), w.kept.k);
  const gemm::EvenParts blocks(m, kSparseRows);
  const gemm::EvenParts groups(panel_end - panel_begin, kIndexedGroup);
  for (int block = 0; block < blocks.count(); ++block) {
    const float* rows = a + blocks.begin(block) * lda;
    const gemm::EvenParts tiles(blocks.size(block), kTileRows);
    for (int group = 0; group < groups.count(); ++group) {
      const int first = panel_begin + groups.begin(group);
      for (int p = 0; p < groups.size(group); ++p) kept[p] = w.kept.data + w.starts[first + p];
      int begin = 0;
      do {
        const int size = std::min(kBlockSlice, w.kept.k - begin);
        for (int t = 0; t < tiles.count(); ++t) {
          const float* source = rows + tiles.begin(t) * lda + begin;
          for (int row = 0; row < tiles.size(t); ++row) {
            for (int l = 0; l < size; ++l) turned[t][l * kTileRows + row] = source[row * lda + l];
          }
        }
        for (int p = 0; p < groups.size(group); ++p) {
          const std::uint8_t* mask = w.masks + static_cast<std::uint64_t>(first + p) * stride;
          const int units = sparse::list_bits(mask + begin / 8, size, kTileRows, places);
          const auto* weights = prepare(kept[p], units);
          for (int t = 0; t < tiles.count(); ++t) {
            indexed_tile_function<Units>(tiles.size(t))(
                turned[t], places, weights, units, begin > 0, sums[p] + tiles.begin(t) * kPanel);
          }
          kept[p] += units * Units::kStoredPerUnit;
        }
        begin += size;
      } while (begin < w.kept.k);
      for (int p = 0; p < groups.size(group); ++p) {
        finish(sums[p], blocks.begin(block), blocks.size(block), first + p);
      }
    }
  }
}

template <class Units, class Packed, class Prepare, class Finish>
HWY_INLINE void multiply(const typename Units::Value* a, std::ptrdiff_t lda, int m,
                         const Sparse<Packed>& w, int panel_begin, int panel_end,
                         const Prepare& prepare, const Finish& finish) {
  if (w.form == SparseForm::blocks) {
    if constexpr (std::is_same_v<typename Units::Value, float>) {
      if (m > gemm::kTileRows) {
        multiply_blocks_by_place<Units>(a, lda, m, w, panel_begin, panel_end, prepare, finish);
        return;
      }
    }
    multiply_blocks<Units>(a, lda, m, w, panel_begin, panel_end, prepare, finish);
  } else {
    multiply_values<Units>(a, lda, m, w, panel_begin, panel_end, prepare, finish);
  }
}

#if HWY_TARGET == HWY_AVX3
/// For turned::many_rows: units of one input.
struct TurnedFloats {
  using Value = float;
  using Weight = float;
  using Sum = float;
  static constexpr int kInputsPerUnit = 1;

  static HWY_NOINLINE void tile(const float* HWY_RESTRICT x,
                                const std::int32_t* HWY_RESTRICT places,
                                const float* HWY_RESTRICT weights, std::ptrdiff_t units,
                                bool accumulate, float* HWY_RESTRICT sums) {
    const FloatTag tag;
    hn::Vec<FloatTag> sum[kPanel];
#pragma GCC unroll 16
    for (int j = 0; j < kPanel; ++j) {
      sum[j] = accumulate ? hn::Load(tag, sums + j * turn::kRows) : hn::Zero(tag);
    }
    for (std::ptrdiff_t unit = 0; unit < units; ++unit) {
      const auto rows = hn::Load(tag, x + places[unit]);
#pragma GCC unroll 16
      for (int j = 0; j < kPanel; ++j) {
        sum[j] = hn::MulAdd(rows, hn::Set(tag, weights[unit * kPanel + j]), sum[j]);
      }
    }
#pragma GCC unroll 16
    for (int j = 0; j < kPanel; ++j) hn::Store(sum[j], tag, sums + j * turn::kRows);
  }
};

/// Whether a product is one for turned::many_rows. With other instruction sets none is.
template <class Packed>
bool turns(int m, const Sparse<Packed>& w) {
  return w.form == SparseForm::blocks && m > gemm::kTileRows && w.kept.k <= turned::kInputs;
}
#endif

/// Slices are as long as a block slice at most.
constexpr int kLongestSlice = kBlockSlice > gemm::kDepth ? kBlockSlice : gemm::kDepth;

template <class Narrow, class Packed>
HWY_INLINE void gemm_sparse_16(const float* a, std::ptrdiff_t lda, int m, const Sparse<Packed>& w,
                               int panel_begin, int panel_end, float* c, std::ptrdiff_t ldc,
                               const Epilogue& epilogue) {
  if (m == 0) return;
  const Finish<FloatProducts> finish({}, w.kept.n, c, ldc, epilogue);
#if HWY_TARGET == HWY_AVX3
  if (turns(m, w)) {
    const auto wide = [](const turned::KeptPanel<Packed>& kept, int /*panel*/, float* out) {
      gemm::widen<Narrow>(kept.values, static_cast<int>(kept.count / kPanel), out);
      return static_cast<const float*>(out);
    };
    turned::many_rows<TurnedFloats>(a, lda, m, w, panel_begin, panel_end, wide, finish);
    return;
  }
#endif
  if (m <= gemm::kNarrowRows) {
    const auto as_it_is = [](const std::uint16_t* slice, int /*units*/) { return slice; };
    multiply<Narrow>(a, lda, m, w, panel_begin, panel_end, as_it_is, finish);
    return;
  }
  alignas(64) float wide[kLongestSlice * kPanel];
  const auto widened = [&wide](const std::uint16_t* slice, int units) {
    gemm::widen<Narrow>(slice, units, wide);
    return static_cast<const float*>(wide);
  };
  multiply<gemm::FloatUnits>(a, lda, m, w, panel_begin, panel_end, widened, finish);
}

template <class Products>
HWY_INLINE void gemm_sparse_i8_by(const std::int16_t* a, std::ptrdiff_t lda, const float* a_scales,
                                  int m, const SparseI8& w, int panel_begin, int panel_end,
                                  float* c, std::ptrdiff_t ldc, const Epilogue& epilogue) {
  if (m == 0) return;
  const Finish<gemm::ScaledProducts> finish({a_scales, w.kept.scales}, w.kept.n, c, ldc, epilogue);
  if (m <= gemm::kNarrowRows) {
    const auto as_it_is = [](const std::int8_t* slice, int /*units*/) { return slice; };
    multiply<gemm::NarrowPairs<Products>>(a, lda, m, w, panel_begin, panel_end, as_it_is, finish);
    return;
  }
  alignas(64) std::int16_t wide[kLongestSlice * kPanel * 2];
  const auto widened = [&wide](const std::int8_t* slice, int units) {
    gemm::widen(slice, units, wide);
    return static_cast<const std::int16_t*>(wide);
  };
  multiply<gemm::WidePairs<Products>>(a, lda, m, w, panel_begin, panel_end, widened, finish);
}

}  // namespace

void gemm_sparse_f32(const float* a, std::ptrdiff_t lda, int m, const SparseF32& w, int panel_begin,
                     int panel_end, float* c, std::ptrdiff_t ldc, const Epilogue& epilogue) {
  if (m == 0) return;
  const Finish<FloatProducts> finish({}, w.kept.n, c, ldc, epilogue);
#if HWY_TARGET == HWY_AVX3
  if (turns(m, w)) {
    const auto stored = [](const turned::KeptPanel<PackedF32>& kept, int /*panel*/,
                           float* /*out*/) { return kept.values; };
    turned::many_rows<TurnedFloats>(a, lda, m, w, panel_begin, panel_end, stored, finish);
    return;
  }
#endif
  const auto as_it_is = [](const float* slice, int /*units*/) { return slice; };
  multiply<gemm::FloatUnits>(a, lda, m, w, panel_begin, panel_end, as_it_is, finish);
}

void gemm_sparse_f16(const float* a, std::ptrdiff_t lda, int m, const SparseF16& w, int panel_begin,
                     int panel_end, float* c, std::ptrdiff_t ldc, const Epilogue& epilogue) {
  gemm_sparse_16<gemm::NarrowFloats<hwy::float16_t>>(a, lda, m, w, panel_begin, panel_end, c, ldc,
                                                     epilogue);
}

void gemm_sparse_bf16(const float* a, std::ptrdiff_t lda, int m, const SparseBF16& w,
                      int panel_begin, int panel_end, float* c, std::ptrdiff_t ldc,
                      const Epilogue& epilogue) {
  gemm_sparse_16<gemm::NarrowFloats<hwy::bfloat16_t>>(a, lda, m, w, panel_begin, panel_end, c, ldc,
                                                      epilogue);
}

void gemm_sparse_i8(const std::int16_t* a, std::ptrdiff_t lda, const float* a_scales, int m,
                    const SparseI8& w, int panel_begin, int panel_end, float* c, std::ptrdiff_t ldc,
                    const Epilogue& epilogue) {
  gemm_sparse_i8_by<gemm::PairProducts>(a, lda, a_scales, m, w, panel_begin, panel_end, c, ldc,
                                        epilogue);
}

#if HWY_TARGET == HWY_AVX3
void gemm_sparse_i8_vnni(const std::int16_t* a, std::ptrdiff_t lda, const float* a_scales, int m,
                         const SparseI8& w, int panel_begin, int panel_end, float* c,
                         std::ptrdiff_t ldc, const Epilogue& epilogue) {
  gemm_sparse_i8_by<gemm::VnniPairProducts>(a, lda, a_scales, m, w, panel_begin, panel_end, c, ldc,
                                            epilogue);
}
#endif

#endif  // KOBOLT_SIMD_TARGET
}  // namespace kobolt::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
