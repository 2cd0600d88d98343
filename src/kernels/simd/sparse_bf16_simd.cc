#include "kernels/simd/targets.h"
// Order matters: targets.h comes first, and foreach_target.h includes this file once a target.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/simd/sparse_bf16_simd.cc"  // NOLINT
#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "kernels/simd/bf16-inl.h"
#include "kernels/simd/declarations-inl.h"
#include "kernels/simd/finish-inl.h"
#include "kernels/simd/gemm-inl.h"
#include "kernels/simd/sparse-inl.h"

// Products of rows of bfloat16 with matrices with many zeros: zeros are put back, in both forms. To
// take together only the inputs that `blocks` keep would make other pairs than those of the dense
// matrix, and sums that differ from its sums.
HWY_BEFORE_NAMESPACE();
namespace kobolt::kernels::HWY_NAMESPACE {
#if HWY_TARGET == HWY_AVX3
namespace {

using Pairs = hn::Vec<IntTag>;

constexpr int kPairValues = static_cast<int>(BFloatPairs::kStoredPerUnit);

/// Units of a slice, which begins with a word of a mask.
constexpr int kSliceUnits = BFloatPairs::kDepth;
/// Panels that share the rows of a tile.
constexpr int kPanels = gemm::kTilePanels;
constexpr std::ptrdiff_t kSumsDistance = gemm::kBlockRows * kPanel;

/// What is kept of a panel, from some input on.
struct KeptBF16 {
  KeptBF16(const SparseBF16& w, int panel)
      : mask(w.masks + static_cast<std::uint64_t>(panel) *
                           mask_bytes(w.form, sizeof(std::uint16_t), w.kept.k)),
        values(w.kept.data + w.starts[panel]) {}
  const std::uint8_t* mask;
  const std::uint16_t* values;
};

/// The mask of the next pairs of inputs of the form `blocks`. Bits of inputs that do not exist
/// are 0.
constexpr int kUnitsOfWord = 32;
HWY_INLINE std::uint64_t next_word(KeptBF16& kept) {
  std::uint64_t word;
  std::memcpy(&word, kept.mask, sizeof(word));
  kept.mask += sizeof(word);
  return word;
}

/// Of the values of a pair of inputs: as dense panels have them, or as BFloatPairs::load does.
enum class PairOrder : std::uint8_t { stored, loaded };

/// The next pair of inputs of the form `blocks`, zeros included; moves `values` behind what is kept
/// of it. `bits`: which of both are. Reads nothing else.
template <PairOrder kOrder>
HWY_INLINE Pairs next_pair(unsigned bits, const std::uint16_t*& values) {
  // What is not loaded is 0. If only the second input is kept, it is what is loaded first.
  static constexpr std::uint16_t kLoaded[] = {0, 0x00FF, 0x00FF, 0xFFFF};
  alignas(64) static constexpr auto kOrders = [] {
    std::array<std::array<std::int16_t, kPairValues>, 4> orders{};
    for (std::size_t which = 0; which < orders.size(); ++which) {
      for (int i = 0; i < kPairValues; ++i) {
        const int column = kOrder == PairOrder::stored ? i % kPanel : i / 2;
        const int input = kOrder == PairOrder::stored ? i / kPanel : i % 2;
        const bool upper = (input != 0) != (which == 2);
        orders[which][static_cast<std::size_t>(i)] =
            static_cast<std::int16_t>(column + (upper ? kPanel : 0));
      }
    }
    return orders;
  }();
  gemm::ToL1()(reinterpret_cast<const char*>(values) + gemm::kStreamAheadL1);
  const Pairs stored{_mm512_maskz_loadu_epi32(kLoaded[bits], values)};
  values += __builtin_popcount(bits) * kPanel;
  const auto order = hn::Load(gemm::PairTag(), kOrders[bits].data());
  return Pairs{_mm512_permutexvar_epi16(order.raw, stored.raw)};
}

/// Writes `units` pairs of inputs of the form `blocks`.
HWY_INLINE void expand_blocks(KeptBF16& kept, int units, std::uint16_t* HWY_RESTRICT out) {
  const std::uint16_t* values = kept.values;
  for (int begin = 0; begin < units; begin += kUnitsOfWord) {
    std::uint64_t word = next_word(kept);
    const int count = std::min(kUnitsOfWord, units - begin);
    for (int u = 0; u < count; ++u, word >>= 2U, out += kPairValues) {
      _mm512_store_si512(out, next_pair<PairOrder::stored>(word & 3U, values).raw);
    }
  }
  kept.values = values;
}

/// The same of the form `values`, where `inputs` of the last pair may be missing.
HWY_INLINE void expand_values(KeptBF16& kept, int units, int inputs,
                              std::uint16_t* HWY_RESTRICT out) {
  inputs = std::min(inputs, 2 * units);
  kept.values = sparse::expand(kept.values, kept.mask, inputs, kPanel, out);
  kept.mask += std::ptrdiff_t{inputs} * kPanel / 8;
  std::fill_n(out + std::ptrdiff_t{inputs} * kPanel, (2 * units - inputs) * kPanel,
              std::uint16_t{0});
}

/// sums [kPanels][kRows][kPanel] = rows times panels of the form `blocks`, whose zeros never reach
/// memory.
template <int kRows>
HWY_NOINLINE void kept_tile(const std::uint16_t* HWY_RESTRICT a, std::ptrdiff_t lda,
                            const KeptBF16* panels_kept, int units, float* HWY_RESTRICT sums) {
  const FloatTag tag;
  constexpr int kBases = (kRows + 2) / 3;  // as in gemm::add_products
  const std::uint16_t* rows[kBases];
#pragma GCC unroll 8
  for (int b = 0; b < kBases; ++b) rows[b] = a + 3 * b * lda;
  hn::Vec<FloatTag> sum[kRows][kPanels];
#pragma GCC unroll 8
  for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 2
    for (int p = 0; p < kPanels; ++p) sum[r][p] = hn::Zero(tag);
  }
  KeptBF16 kept[kPanels] = {panels_kept[0], panels_kept[1]};
  for (int begin = 0; begin < units; begin += kUnitsOfWord) {
    std::uint64_t words[kPanels] = {next_word(kept[0]), next_word(kept[1])};
    const int count = std::min(kUnitsOfWord, units - begin);
    for (int u = 0; u < count; ++u) {
#pragma GCC unroll 8
      for (const std::uint16_t*& row : rows) gemm::in_register(row);
      Pairs weights[kPanels];
#pragma GCC unroll 2
      for (int p = 0; p < kPanels; ++p) {
        weights[p] = next_pair<PairOrder::loaded>(words[p] & 3U, kept[p].values);
        words[p] >>= 2U;
      }
#pragma GCC unroll 8
      for (int r = 0; r < kRows; ++r) {
        const Pairs value = BFloatPairs::broadcast(rows[r / 3] + r % 3 * lda);
#pragma GCC unroll 2
        for (int p = 0; p < kPanels; ++p) BFloatPairs::multiply_add(value, weights[p], sum[r][p]);
      }
#pragma GCC unroll 8
      for (const std::uint16_t*& row : rows) row += 2;
    }
  }
#pragma GCC unroll 8
  for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 2
    for (int p = 0; p < kPanels; ++p) {
      hn::Store(sum[r][p], tag, sums + p * kSumsDistance + r * kPanel);
    }
  }
}

using KeptTile = void (*)(const std::uint16_t*, std::ptrdiff_t, const KeptBF16*, int, float*);

KeptTile kept_tile_function(int rows) {
  static constexpr auto kFunctions = []<std::size_t... kIndex>(std::index_sequence<kIndex...>) {
    return std::array<KeptTile, gemm::kTileRows>{kept_tile<kIndex + 1>...};
  }
  (std::make_index_sequence<gemm::kTileRows>());
  return kFunctions[static_cast<std::size_t>(rows - 1)];
}

/// sums [kPanels][m][kPanel] of a block of rows: slices are made dense for all its tiles.
HWY_INLINE void expanded_slices(const std::uint16_t* a, std::ptrdiff_t lda, int m,
                                const SparseBF16& w, KeptBF16* kept, float* sums) {
  alignas(64) std::uint16_t dense[kPanels][kSliceUnits * kPairValues];
  const gemm::EvenParts tiles(m, gemm::kTileRows);
  const gemm::Ahead nothing{reinterpret_cast<const char*>(dense[0]), 0};
  const int all_units = pairs(w.kept.k);
  int unit = 0;
  do {
    const int units = std::min(kSliceUnits, all_units - unit);
    for (int p = 0; p < kPanels; ++p) {
      if (w.form == SparseForm::blocks) {
        expand_blocks(kept[p], units, dense[p]);
      } else {
        expand_values(kept[p], units, w.kept.k - 2 * unit, dense[p]);
      }
    }
    for (int t = 0; t < tiles.count(); ++t) {
      const int row = tiles.begin(t);
      gemm::tile_function<BFloatPairs, kPanels>(tiles.size(t), kPanels)(
          a + row * lda + std::ptrdiff_t{unit} * 2, lda, {dense[0], dense[1]}, units, nothing,
          unit > 0, sums + row * kPanel, kSumsDistance);
    }
    unit += units;
  } while (unit < all_units);
}

}  // namespace

void gemm_sparse_bf16_bf16(const std::uint16_t* a, std::ptrdiff_t lda, int m, const SparseBF16& w,
                           int panel_begin, int panel_end, float* c, std::ptrdiff_t ldc,
                           const Epilogue& epilogue) {
  if (m == 0) return;
  alignas(64) float sums[kPanels * kSumsDistance];
  const Finish<FloatProducts> finish({}, w.kept.n, c, ldc, epilogue);
  const gemm::EvenParts blocks(m, gemm::kBlockRows);
  for (int block = 0; block < blocks.count(); ++block) {
    const int first = blocks.begin(block);
    const int rows = blocks.size(block);
    for (int panel = panel_begin; panel < panel_end; panel += kPanels) {
      const int last = std::min(panel + kPanels, panel_end) - 1;
      KeptBF16 kept[kPanels] = {{w, panel}, {w, last}};  // one without a neighbour is taken twice
      if (w.form == SparseForm::blocks && m <= gemm::kTileRows) {
        kept_tile_function(rows)(a, lda, kept, pairs(w.kept.k), sums);
      } else {
        expanded_slices(a + first * lda, lda, rows, w, kept, sums);
      }
      for (int p = panel; p <= last; ++p) {
        finish(sums + (p - panel) * kSumsDistance, first, rows, p);
      }
    }
  }
}

#endif  // HWY_AVX3
}  // namespace kobolt::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
