#include "kernels/simd/targets.h"
// Order matters: targets.h comes first, and foreach_target.h includes this file once a target.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/simd/bytes_simd.cc"  // NOLINT
#include <algorithm>
#include <cmath>
#include <limits>

#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "kernels/processor.h"
#include "kernels/round_product.h"
#include "kernels/simd/bytes-inl.h"
#include "kernels/simd/declarations-inl.h"
#include "kernels/simd/finish-inl.h"
#include "kernels/simd/gemm-inl.h"
#include "kernels/simd/rows-inl.h"

// Rows of bytes, and products of dense matrices with them (bytes-inl.h says how).
HWY_BEFORE_NAMESPACE();
namespace kobolt::kernels::HWY_NAMESPACE {
#if KOBOLT_SIMD_TARGET
namespace {

/// Least and largest value of x and of 0; both NaN where x has one, infinity included.
struct Range {
  float least;
  float most;
};

Range range_of(const float* x, int n) {
  const rows::Tag tag;
  constexpr int kChains = 4;  // cover the latency of a multiply-add
  hn::Vec<rows::Tag> least[kChains];
  hn::Vec<rows::Tag> most[kChains];
  hn::Vec<rows::Tag> poison[kChains];  // 0 * x is 0, or NaN where x is not finite
  const auto take = [&](int chain, const float* from) {
    const auto value = hn::LoadU(tag, from);
    least[chain] = hn::Min(least[chain], value);
    most[chain] = hn::Max(most[chain], value);
    poison[chain] = hn::MulAdd(value, hn::Zero(tag), poison[chain]);
  };
#pragma GCC unroll 4
  for (int c = 0; c < kChains; ++c) least[c] = most[c] = poison[c] = hn::Zero(tag);
  int i = 0;
  for (; i + kChains * rows::kLanes <= n; i += kChains * rows::kLanes) {
#pragma GCC unroll 4
    for (int c = 0; c < kChains; ++c) take(c, x + i + c * rows::kLanes);
  }
  for (; i + rows::kLanes <= n; i += rows::kLanes) take(0, x + i);
#pragma GCC unroll 4
  for (int c = 1; c < kChains; ++c) {
    least[0] = hn::Min(least[0], least[c]);
    most[0] = hn::Max(most[0], most[c]);
    poison[0] = hn::Add(poison[0], poison[c]);
  }
  Range range{hn::GetLane(hn::MinOfLanes(tag, least[0])),
              hn::GetLane(hn::MaxOfLanes(tag, most[0]))};
  bool finite = hn::AllTrue(tag, hn::Eq(poison[0], hn::Zero(tag)));
  for (; i < n; ++i) {
    range.least = std::min(range.least, x[i]);
    range.most = std::max(range.most, x[i]);
    finite = finite && std::isfinite(x[i]);
  }
  constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
  return finite ? range : Range{kNan, kNan};
}

void quantize_row_u8(const float* x, int k, float inverse, int zero, int limit, std::uint8_t* q) {
  const rows::Tag tag;
  const hn::Repartition<std::int16_t, rows::Tag> shorts;
  const hn::Rebind<std::uint8_t, decltype(shorts)> bytes;
  constexpr int kStep = 2 * rows::kLanes;
  const auto factor = hn::Set(tag, inverse);
  const auto offset = hn::Set(shorts, static_cast<std::int16_t>(zero));
  const auto most = hn::Set(shorts, static_cast<std::int16_t>(limit));
  // As in rounded_product(), but the lower halves of lanes, which what rounds leaves as they are,
  // are all that is needed: two vectors become one.
  const auto shifter = hn::Set(tag, kRoundingShift);
  const auto round = [&](const float* from) {
    return hn::BitCast(shorts, hn::MulAdd(hn::LoadU(tag, from), factor, shifter));
  };
  int i = 0;
  for (; i + kStep <= k; i += kStep) {
    const auto both = hn::ConcatEven(shorts, round(x + i + rows::kLanes), round(x + i));
    hn::StoreU(hn::DemoteTo(bytes, hn::Min(hn::Add(both, offset), most)), bytes, q + i);
  }
  for (; i < k; ++i) {
    const int value = static_cast<int>(round_product(x[i], inverse)) + zero;
    q[i] = static_cast<std::uint8_t>(std::clamp(value, 0, limit));
  }
}

}  // namespace

void quantize_rows_u8(const float* x, std::ptrdiff_t ldx, int m, int k, std::uint8_t* q,
                      std::ptrdiff_t ldq, float* scales, std::int32_t* zeros) {
  constexpr float kSmallestMagnitude = 1e-30F;  // as the scalar twin
  // From the values of a row to its step is a long chain of short operations: those of several rows
  // pass at a time.
  constexpr int kTogether = 8;
  const int limit = byte_limit(k);
  const auto steps = static_cast<float>(limit);
  for (int begin = 0; begin < m; begin += kTogether) {
    const int end = std::min(begin + kTogether, m);
    float inverses[kTogether];
    for (int i = begin; i < end; ++i) {
      const Range range = range_of(x + i * ldx, k);
      if (std::max(range.most, -range.least) >= kSmallestMagnitude) {
        const float step = range.most / steps - range.least / steps;
        const float inverse = 1.0F / step;
        scales[i] = step;
        zeros[i] = static_cast<std::int32_t>(std::nearbyint(-range.least * inverse));
        inverses[i - begin] = inverse;
      } else {
        scales[i] = std::isnan(range.most) ? range.most : 0.0F;
        zeros[i] = 0;
        inverses[i - begin] = 0.0F;
      }
    }
    for (int i = begin; i < end; ++i) {
      std::uint8_t* out = q + i * ldq;
      const float inverse = inverses[i - begin];
      if (inverse != 0.0F) {
        quantize_row_u8(x + i * ldx, k, inverse, zeros[i], limit, out);
      } else {
        std::fill_n(out, k, std::uint8_t{0});
      }
      std::fill(out + k, out + 4 * quads(k), std::uint8_t{0});
    }
  }
}

#if HWY_TARGET == HWY_AVX3
namespace {

/// A panel as products of bytes read it: whole quads and, where their number is odd, a last pair.
struct QuadPanels : gemm::Panels<std::int8_t> {
  QuadPanels(const PackedI8& packed, int panel_begin, int panel_end)
      : Panels{.data = packed.data,
               .size = static_cast<std::ptrdiff_t>(pairs(packed.k)) * kPairSize,
               .unit_size = kQuadSize,
               .units = quads(packed.k),
               .begin = panel_begin,
               .end = panel_end} {}
  [[nodiscard]] std::ptrdiff_t bytes(int unit, int units_of_slice) const {
    return std::min(units_of_slice * unit_size, size - unit * unit_size);
  }
};

/// Quads as they are stored, for matrices of whole ones: each tile puts them in order as it loads
/// them.
struct StoredQuads : ByteQuads {
  static constexpr int kMostPanels = gemm::kTilePanels;
  static HWY_INLINE Factor load(const std::int8_t* w) { return load_quad(w); }
};

/// Rows and panels of one pass where slices are put in order once: by more rows than elsewhere, and
/// of fewer panels, whose sums (192 KiB) stay in L2 as well.
constexpr int kOrderedRows = 512;
constexpr int kOrderedPanels = 6;

/// Up to how many rows tiles put the weights in order: all that there are, where that costs nothing
/// beside products; else as many as share a slice too few times to have it put in order once.
int rows_in_stored_order() {
  constexpr int kSharedTooLittle = 3 * gemm::kTileRows;
  return permutes_instead_of_multiplying() ? kSharedTooLittle : std::numeric_limits<int>::max();
}

}  // namespace

void sum_columns_vnni(const PackedI8& w, std::int32_t* sums) {
  const QuadPanels stored(w, 0, panels(w.n));
  alignas(64) std::int32_t of_panel[kPanel];
  for (int panel = 0; panel < panels(w.n); ++panel) {
    sum_columns(stored.at(panel, 0), stored.size, false, of_panel, [](std::ptrdiff_t, Integers) {});
    std::copy_n(of_panel, kPanel, sums + panel * kPanel);
  }
}

void gemm_u8_i8_vnni(const RowsU8& a, int m, const PackedI8& w, int panel_begin, int panel_end,
                     float* c, std::ptrdiff_t ldc, const Epilogue& epilogue) {
  if (m == 0) return;
  const QuadPanels stored(w, panel_begin, panel_end);
  const auto& as_stored = static_cast<const gemm::Panels<std::int8_t>&>(stored);
  const StoredSums column_sums{w.sums};
  const Finish<ShiftedProducts<StoredSums>> finish({a, w.scales, column_sums}, w.n, c, ldc,
                                                   epilogue);
  static const int in_stored_order = rows_in_stored_order();
  if (pairs(w.k) % 2 == 0 && m <= in_stored_order) {
    if (m <= gemm::kTileRows) {
      gemm::few_rows<StoredQuads>(a.data, a.ld, m, as_stored, finish);
    } else {
      gemm::many_rows<StoredQuads>(a.data, a.ld, m, as_stored,
                                   gemm::AsStored<std::int8_t>{as_stored}, finish);
    }
    return;
  }
  alignas(64) std::int8_t slices[gemm::kMostPanels][ByteQuads::kDepth * kQuadSize];
  const auto prepare = [&](int place, int panel, int unit, int units) {
    order_quads(stored.at(panel, unit), stored.bytes(unit, units), slices[place]);
    return static_cast<const std::int8_t*>(slices[place]);
  };
  gemm::many_rows<ByteQuads, kOrderedRows, kOrderedPanels>(a.data, a.ld, m, as_stored, prepare,
                                                           finish);
}
#endif  // HWY_AVX3

#endif  // KOBOLT_SIMD_TARGET
}  // namespace kobolt::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
