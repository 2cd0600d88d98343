#include "kernels/simd/targets.h"
// Order matters: targets.h comes first, and foreach_target.h includes this file once a target.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/simd/sparse_bf16_simd.cc"  // NOLINT
#include <algorithm>
#include <cstring>

#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "kernels/simd/bf16-inl.h"
#include "kernels/simd/declarations-inl.h"
#include "kernels/simd/finish-inl.h"
#include "kernels/simd/gemm-inl.h"
#include "kernels/simd/sparse-inl.h"

// Products of rows of bfloat16 with matrices with many zeros: slices are made dense, in both forms.
// To take together only the inputs that `blocks` keep would make other pairs than those of the
// dense matrix, and sums that differ from its sums.
HWY_BEFORE_NAMESPACE();
namespace kobolt::kernels::HWY_NAMESPACE {
#if HWY_TARGET == HWY_AVX3
namespace {

/// Units of a slice, which begins with a word of a mask.
constexpr int kSliceUnits = 384;

/// What is kept of a panel, from some input on.
struct KeptBF16 {
  KeptBF16(const SparseBF16& w, int panel)
      : mask(w.masks + static_cast<std::uint64_t>(panel) *
                           mask_bytes(w.form, sizeof(std::uint16_t), w.kept.k)),
        values(w.kept.data + w.starts[panel]) {}
  const std::uint8_t* mask;
  const std::uint16_t* values;
};

/// Writes `units` pairs of inputs as a dense panel has them, and moves `kept` behind them. Bits of
/// inputs that do not exist are 0.
HWY_INLINE void expand_blocks(KeptBF16& kept, int unit, int units,
                              std::uint16_t* HWY_RESTRICT out) {
  constexpr int kUnitsOfWord = 32;
  static constexpr std::uint16_t kHalves[] = {0, 0x00FF, 0xFF00, 0xFFFF};
  const std::uint8_t* mask = kept.mask + unit / 4;
  const std::uint16_t* values = kept.values;
  for (int begin = 0; begin < units; begin += kUnitsOfWord, mask += sizeof(std::uint64_t)) {
    std::uint64_t word;
    std::memcpy(&word, mask, sizeof(word));
    const int count = std::min(kUnitsOfWord, units - begin);
    for (int u = 0; u < count; ++u, word >>= 2U) {
      const auto bits = word & 3U;
      __builtin_prefetch(reinterpret_cast<const char*>(values) + gemm::kStreamAhead);
      _mm512_store_si512(out, _mm512_maskz_expandloadu_epi32(kHalves[bits], values));
      values += static_cast<std::uint64_t>(__builtin_popcountll(bits)) * kPanel;
      out += BFloatPairs::kStoredPerUnit;
    }
  }
  kept.values = values;
}

/// The same of the form `values`, of a panel of k inputs.
HWY_INLINE void expand_values(KeptBF16& kept, int unit, int units, int k,
                              std::uint16_t* HWY_RESTRICT out) {
  const int inputs = std::min(2 * units, k - 2 * unit);
  kept.values = sparse::expand(kept.values, kept.mask + std::ptrdiff_t{unit} * 2 * kPanel / 8,
                               inputs, kPanel, out);
  if (inputs < 2 * units) {
    std::fill_n(out + std::ptrdiff_t{inputs} * kPanel, kPanel, std::uint16_t{0});
  }
}

}  // namespace

void gemm_sparse_bf16_bf16(const std::uint16_t* a, std::ptrdiff_t lda, int m, const SparseBF16& w,
                           int panel_begin, int panel_end, float* c, std::ptrdiff_t ldc,
                           const Epilogue& epilogue) {
  if (m == 0) return;
  constexpr int kPanels = gemm::kTilePanels;
  constexpr std::ptrdiff_t kSumsDistance = gemm::kBlockRows * kPanel;
  alignas(64) std::uint16_t dense[kPanels][kSliceUnits * BFloatPairs::kStoredPerUnit];
  alignas(64) float sums[kPanels * kSumsDistance];
  const Finish<FloatProducts> finish({}, w.kept.n, c, ldc, epilogue);
  const gemm::EvenParts blocks(m, gemm::kBlockRows);
  const int all_units = pairs(w.kept.k);
  for (int block = 0; block < blocks.count(); ++block) {
    const int first = blocks.begin(block);
    const gemm::EvenParts tiles(blocks.size(block), gemm::kTileRows);
    for (int panel = panel_begin; panel < panel_end; panel += kPanels) {
      const int count = std::min(kPanels, panel_end - panel);
      KeptBF16 kept[kPanels] = {{w, panel}, {w, panel + count - 1}};
      int unit = 0;
      do {
        const int units = std::min(kSliceUnits, all_units - unit);
        for (int p = 0; p < count; ++p) {
          if (w.form == SparseForm::blocks) {
            expand_blocks(kept[p], unit, units, dense[p]);
          } else {
            expand_values(kept[p], unit, units, w.kept.k, dense[p]);
          }
        }
        const gemm::Ahead nothing{reinterpret_cast<const char*>(dense[0]), 0};
        for (int t = 0; t < tiles.count(); ++t) {
          const int row = tiles.begin(t);
          const auto tile = count == kPanels
                                ? gemm::tile_function<BFloatPairs, kPanels>(tiles.size(t))
                                : gemm::tile_function<BFloatPairs>(tiles.size(t));
          tile(a + (first + row) * lda + std::ptrdiff_t{unit} * 2, lda, {dense[0], dense[1]}, units,
               nothing, unit > 0, sums + row * kPanel, kSumsDistance);
        }
        unit += units;
      } while (unit < all_units);
      for (int p = 0; p < count; ++p) {
        finish(sums + p * kSumsDistance, first, blocks.size(block), panel + p);
      }
    }
  }
}

#endif  // HWY_AVX3
}  // namespace kobolt::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
