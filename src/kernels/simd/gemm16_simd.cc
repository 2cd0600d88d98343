#include "kernels/simd/targets.h"
// Order matters: targets.h comes first, and foreach_target.h includes this file once a target.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/simd/gemm16_simd.cc"  // NOLINT
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "kernels/simd/declarations-inl.h"
#include "kernels/simd/finish-inl.h"
#include "kernels/simd/formats-inl.h"
#include "kernels/simd/gemm-inl.h"

// Products of weights of 16 bits: a widening load before the arithmetic of fp32. Half of the bytes
// stream from memory; the processor needs no arithmetic in 16 bits.
HWY_BEFORE_NAMESPACE();
namespace kobolt::kernels::HWY_NAMESPACE {
#if KOBOLT_SIMD_TARGET
namespace {

template <class Units, class Packed>
HWY_INLINE void gemm_16(const float* a, std::ptrdiff_t lda, int m, const Packed& w, int panel_begin,
                        int panel_end, float* c, std::ptrdiff_t ldc, const Epilogue& epilogue) {
  if (m == 0) return;
  const Finish<FloatProducts> finish({}, w.n, c, ldc, epilogue);
  const auto stored = gemm::panels_of<Units>(w.data, w.k, panel_begin, panel_end);
  if (m <= gemm::kTileRows) {
    gemm::few_rows<Units>(a, lda, m, stored, finish);
    return;
  }
  if (m <= gemm::kNarrowRows) {
    gemm::many_rows<Units>(a, lda, m, stored, gemm::AsStored<std::uint16_t>{stored}, finish);
    return;
  }
  alignas(64) float wide[gemm::kMostPanels][gemm::FloatUnits::kDepth * kPanel];
  const auto widened = [&](int place, int panel, int unit, int units) {
    gemm::widen<Units>(stored.at(panel, unit), units, wide[place]);
    return static_cast<const float*>(wide[place]);
  };
  gemm::many_rows<gemm::FloatUnits>(a, lda, m, stored, widened, finish);
}

}  // namespace

void gemm_f16(const float* a, std::ptrdiff_t lda, int m, const PackedF16& w, int panel_begin,
              int panel_end, float* c, std::ptrdiff_t ldc, const Epilogue& epilogue) {
  gemm_16<gemm::NarrowFloats<hwy::float16_t>>(a, lda, m, w, panel_begin, panel_end, c, ldc,
                                              epilogue);
}

void gemm_bf16(const float* a, std::ptrdiff_t lda, int m, const PackedBF16& w, int panel_begin,
               int panel_end, float* c, std::ptrdiff_t ldc, const Epilogue& epilogue) {
  gemm_16<gemm::NarrowFloats<hwy::bfloat16_t>>(a, lda, m, w, panel_begin, panel_end, c, ldc,
                                               epilogue);
}

#endif  // KOBOLT_SIMD_TARGET
}  // namespace kobolt::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
