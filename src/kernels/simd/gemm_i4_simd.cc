#include "kernels/simd/targets.h"
// Order matters: targets.h comes first, and foreach_target.h includes this file once a target.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/simd/gemm_i4_simd.cc"  // NOLINT
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "kernels/simd/bytes-inl.h"
#include "kernels/simd/declarations-inl.h"
#include "kernels/simd/finish-inl.h"
#include "kernels/simd/gemm-inl.h"
#include "kernels/simd/groups-inl.h"

// Products of weights of 4 bits with rows of bytes (groups-inl.h says how).
HWY_BEFORE_NAMESPACE();
namespace kobolt::kernels::HWY_NAMESPACE {
#if KOBOLT_SIMD_TARGET
namespace {

template <class Dot>
HWY_INLINE void multiply_i4(const RowsU8& a, int m, const PackedI4& w, int panel_begin,
                            int panel_end, float* c, std::ptrdiff_t ldc, const Epilogue& epilogue) {
  if (m == 0) return;
  using Groups = groups4::WideGroups<Dot>;
  ColumnSums<float> column_sums(panel_begin);
  const Finish<groups4::Products<Dot>> finish({a, column_sums}, w.n, c, ldc, epilogue);
  const auto stored = gemm::panels_of<Groups>(w.data, groups(w.k), panel_begin, panel_end);
  static const int most_streamed = groups4::most_streamed();
  if (m <= most_streamed) {
    const gemm::EvenParts tiles(m, groups4::kStreamedRows);
    alignas(64) float sums[groups4::kStreamedRows * kPanel];
    for (int panel = panel_begin; panel < panel_end; ++panel) {
      for (int t = 0; t < tiles.count(); ++t) {
        const int row = tiles.begin(t);
        groups4::streamed_tile_function<Dot>(tiles.size(t))(a.data + row * a.ld, a.ld,
                                                            stored.at(panel, 0), stored.units, sums,
                                                            column_sums.of(panel));
        finish(sums, row, tiles.size(t), panel);
      }
    }
    return;
  }
  alignas(64) std::uint8_t wide[gemm::kTilePanels][Groups::kDepth * groups4::kWideGroup];
  const auto prepare = [&](int place, int panel, int group, int count) {
    groups4::widen<Dot>(stored.at(panel, group), count, group > 0, wide[place],
                        column_sums.of(panel));
    return static_cast<const std::uint8_t*>(wide[place]);
  };
  gemm::many_rows<Groups>(a.data, a.ld, m, stored, prepare, finish);
}

}  // namespace

void gemm_u8_i4(const RowsU8& a, int m, const PackedI4& w, int panel_begin, int panel_end, float* c,
                std::ptrdiff_t ldc, const Epilogue& epilogue) {
  multiply_i4<groups4::ByteDot>(a, m, w, panel_begin, panel_end, c, ldc, epilogue);
}

#if HWY_TARGET == HWY_AVX3
void gemm_u8_i4_vnni(const RowsU8& a, int m, const PackedI4& w, int panel_begin, int panel_end,
                     float* c, std::ptrdiff_t ldc, const Epilogue& epilogue) {
  multiply_i4<groups4::VnniDot>(a, m, w, panel_begin, panel_end, c, ldc, epilogue);
}
#endif

#endif  // KOBOLT_SIMD_TARGET
}  // namespace kobolt::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
