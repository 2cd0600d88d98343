#include "kernels/simd/targets.h"
// Order matters: targets.h comes first, and foreach_target.h includes this file once a target.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/simd/gemm_simd.cc"  // NOLINT
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "kernels/simd/declarations-inl.h"
#include "kernels/simd/finish-inl.h"
#include "kernels/simd/formats-inl.h"
#include "kernels/simd/gemm-inl.h"

HWY_BEFORE_NAMESPACE();
namespace kobolt::kernels::HWY_NAMESPACE {
#if KOBOLT_SIMD_TARGET
namespace {

template <class Products>
HWY_INLINE void multiply_i8(const std::int16_t* a, std::ptrdiff_t lda, const float* a_scales, int m,
                            const PackedI8& w, int panel_begin, int panel_end, float* c,
                            std::ptrdiff_t ldc, const Epilogue& epilogue) {
  if (m == 0) return;
  const Finish<gemm::ScaledProducts> finish({a_scales, w.scales}, w.n, c, ldc, epilogue);
  const auto stored =
      gemm::panels_of<gemm::NarrowPairs<Products>>(w.data, pairs(w.k), panel_begin, panel_end);
  if (m <= gemm::kTileRows) {
    gemm::few_rows<gemm::NarrowPairs<Products>>(a, lda, m, stored, finish);
    return;
  }
  if (m <= gemm::kNarrowRows) {
    gemm::many_rows<gemm::NarrowPairs<Products>>(a, lda, m, stored,
                                                 gemm::AsStored<std::int8_t>{stored}, finish);
    return;
  }
  alignas(64) std::int16_t wide[gemm::kTilePanels][gemm::kDepth * kPanel * 2];
  const auto widened = [&](int place, int panel, int unit, int units) {
    gemm::widen(stored.at(panel, unit), units, wide[place]);
    return static_cast<const std::int16_t*>(wide[place]);
  };
  gemm::many_rows<gemm::WidePairs<Products>>(a, lda, m, stored, widened, finish);
}

}  // namespace

void gemm_f32(const float* a, std::ptrdiff_t lda, int m, const PackedF32& w, int panel_begin,
              int panel_end, float* c, std::ptrdiff_t ldc, const Epilogue& epilogue) {
  if (m == 0) return;
  const Finish<FloatProducts> finish({}, w.n, c, ldc, epilogue);
  const auto stored = gemm::panels_of<gemm::FloatUnits>(w.data, w.k, panel_begin, panel_end);
  if (m <= gemm::kTileRows) {
    gemm::few_rows<gemm::FloatUnits>(a, lda, m, stored, finish);
    return;
  }
  gemm::many_rows<gemm::FloatUnits>(a, lda, m, stored, gemm::AsStored<float>{stored}, finish);
}

void gemm_i8(const std::int16_t* a, std::ptrdiff_t lda, const float* a_scales, int m,
             const PackedI8& w, int panel_begin, int panel_end, float* c, std::ptrdiff_t ldc,
             const Epilogue& epilogue) {
  multiply_i8<gemm::PairProducts>(a, lda, a_scales, m, w, panel_begin, panel_end, c, ldc, epilogue);
}

#if HWY_TARGET == HWY_AVX3
void gemm_i8_vnni(const std::int16_t* a, std::ptrdiff_t lda, const float* a_scales, int m,
                  const PackedI8& w, int panel_begin, int panel_end, float* c, std::ptrdiff_t ldc,
                  const Epilogue& epilogue) {
  multiply_i8<gemm::VnniPairProducts>(a, lda, a_scales, m, w, panel_begin, panel_end, c, ldc,
                                      epilogue);
}
#endif

#endif  // KOBOLT_SIMD_TARGET
}  // namespace kobolt::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
