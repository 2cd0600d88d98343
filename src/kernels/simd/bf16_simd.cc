#include "kernels/simd/targets.h"
// Order matters: targets.h comes first, and foreach_target.h includes this file once a target.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/simd/bf16_simd.cc"  // NOLINT
#include <algorithm>

#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "kernels/simd/bf16-inl.h"
#include "kernels/simd/declarations-inl.h"
#include "kernels/simd/finish-inl.h"
#include "kernels/simd/gemm-inl.h"

// Rows of bfloat16, and products of dense matrices with them (bf16-inl.h says how).
HWY_BEFORE_NAMESPACE();
namespace kobolt::kernels::HWY_NAMESPACE {
#if KOBOLT_SIMD_TARGET && HWY_TARGET == HWY_AVX3
namespace {

/// The values of `low`, then those of `high`, to nearest even.
HWY_INLINE hn::Vec<WordTag> round_bf16(hn::Vec<FloatTag> low, hn::Vec<FloatTag> high) {
  hn::Vec<WordTag> rounded;
  asm("vcvtne2ps2bf16 %[low], %[high], %[rounded]"
      : [rounded] "=v"(rounded.raw)
      : [low] "v"(low.raw), [high] "v"(high.raw));
  return rounded;
}

}  // namespace

void round_rows_bf16(const float* x, std::ptrdiff_t ldx, int m, int k, std::uint16_t* q,
                     std::ptrdiff_t ldq) {
  const FloatTag floats;
  constexpr int kStep = 2 * kLanes;
  for (int i = 0; i < m; ++i) {
    const float* from = x + i * ldx;
    std::uint16_t* to = q + i * ldq;
    int l = 0;
    for (; l + kStep <= k; l += kStep) {
      hn::StoreU(round_bf16(hn::LoadU(floats, from + l), hn::LoadU(floats, from + l + kLanes)),
                 WordTag(), to + l);
    }
    if (l == k) continue;
    const auto part = [&](int begin) {
      const auto left = static_cast<std::size_t>(std::max(0, k - begin));
      return hn::MaskedLoad(hn::FirstN(floats, left), floats, from + begin);
    };
    const auto written = static_cast<std::size_t>(2 * pairs(k) - l);
    hn::BlendedStore(round_bf16(part(l), part(l + kLanes)), hn::FirstN(WordTag(), written),
                     WordTag(), to + l);
  }
}

void gemm_bf16_bf16(const std::uint16_t* a, std::ptrdiff_t lda, int m, const PackedBF16& w,
                    int panel_begin, int panel_end, float* c, std::ptrdiff_t ldc,
                    const Epilogue& epilogue) {
  if (m == 0) return;
  const Finish<FloatProducts> finish({}, w.n, c, ldc, epilogue);
  auto stored = gemm::panels_of<BFloatPairs>(w.data, pairs(w.k), panel_begin, panel_end);
  if (w.k % 2 == 0) {
    if (m <= gemm::kTileRows) {
      gemm::few_rows<BFloatPairs>(a, lda, m, stored, finish);
    } else {
      gemm::many_rows<BFloatPairs>(a, lda, m, stored, gemm::AsStored<std::uint16_t>{stored},
                                   finish);
    }
    return;
  }
  // The last pair has one input; what follows it belongs to another panel, or to nobody.
  stored.size = static_cast<std::ptrdiff_t>(w.k) * kPanel;
  alignas(64) std::uint16_t slices[gemm::kTilePanels][BFloatPairs::kDepth * kPanel * 2];
  const auto completed = [&](int place, int panel, int unit, int units) {
    const std::uint16_t* slice = stored.at(panel, unit);
    const std::ptrdiff_t left = stored.size - unit * stored.unit_size;
    if (left >= units * stored.unit_size) return slice;
    std::copy_n(slice, left, slices[place]);
    std::fill_n(slices[place] + left, kPanel, std::uint16_t{0});
    return static_cast<const std::uint16_t*>(slices[place]);
  };
  gemm::many_rows<BFloatPairs>(a, lda, m, stored, completed, finish);
}

#endif  // HWY_AVX3
}  // namespace kobolt::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
