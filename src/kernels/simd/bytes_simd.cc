#include "kernels/simd/targets.h"
// Order matters: targets.h comes first, and foreach_target.h includes this file once a target.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/simd/bytes_simd.cc"  // NOLINT
#include <algorithm>
#include <cmath>
#include <limits>

#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "kernels/simd/declarations-inl.h"
#include "kernels/simd/finish-inl.h"
#include "kernels/simd/gemm-inl.h"
#include "kernels/simd/rows-inl.h"

// Products of bytes by vpdpbusd: 4 inputs of 16 columns in one instruction. It wants the weights of
// 4 inputs of a column together; two stored pairs become that by one permutation of 16-bit words.
//
// sum((a - zero) * w) = sum(a * w) - zero * sum(w): the sums of the columns of w are products with
// a row of ones. Few rows have that row in their tile, where it hides behind reading memory; for
// many rows it is computed as a slice is put into order.
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
  const hn::RebindToUnsigned<rows::Tag> bits;
  const auto magnitude_bits = hn::Set(bits, 0x7FFFFFFFU);
  auto least = hn::Zero(tag);
  auto most = hn::Zero(tag);
  auto largest = hn::Zero(bits);  // magnitude as bits: what is no number is above all that are
  int i = 0;
  for (; i + rows::kLanes <= n; i += rows::kLanes) {
    const auto value = hn::LoadU(tag, x + i);
    least = hn::Min(least, value);
    most = hn::Max(most, value);
    largest = hn::Max(largest, hn::And(hn::BitCast(bits, value), magnitude_bits));
  }
  Range range{hn::GetLane(hn::MinOfLanes(tag, least)), hn::GetLane(hn::MaxOfLanes(tag, most))};
  constexpr std::uint32_t kInfinityBits = 0x7F800000U;
  bool finite = hn::GetLane(hn::MaxOfLanes(bits, largest)) < kInfinityBits;
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
  const hn::RebindToSigned<rows::Tag> integers;
  const hn::Rebind<std::uint8_t, rows::Tag> bytes;
  const auto factor = hn::Set(tag, inverse);
  const auto offset = hn::Set(integers, zero);
  const auto most = hn::Set(integers, limit);
  int i = 0;
  for (; i + rows::kLanes <= k; i += rows::kLanes) {
    const auto rounded = hn::NearestInt(hn::Mul(hn::LoadU(tag, x + i), factor));
    hn::StoreU(hn::DemoteTo(bytes, hn::Min(hn::Add(rounded, offset), most)), bytes, q + i);
  }
  for (; i < k; ++i) {
    const int value = static_cast<int>(std::nearbyint(x[i] * inverse)) + zero;
    q[i] = static_cast<std::uint8_t>(std::clamp(value, 0, limit));
  }
}

}  // namespace

void quantize_rows_u8(const float* x, std::ptrdiff_t ldx, int m, int k, std::uint8_t* q,
                      std::ptrdiff_t ldq, float* scales, std::int32_t* zeros) {
  constexpr float kSmallestMagnitude = 1e-30F;  // as the scalar twin
  const int limit = byte_limit(k);
  const auto steps = static_cast<float>(limit);
  for (int i = 0; i < m; ++i) {
    const float* in = x + i * ldx;
    std::uint8_t* out = q + i * ldq;
    const Range range = range_of(in, k);
    if (std::max(range.most, -range.least) >= kSmallestMagnitude) {
      const float step = range.most / steps - range.least / steps;
      const float inverse = 1.0F / step;
      scales[i] = step;
      zeros[i] = static_cast<std::int32_t>(std::nearbyint(-range.least * inverse));
      quantize_row_u8(in, k, inverse, zeros[i], limit, out);
    } else {
      scales[i] = std::isnan(range.most) ? range.most : 0.0F;
      zeros[i] = 0;
      std::fill_n(out, k, std::uint8_t{0});
    }
    std::fill(out + k, out + 4 * quads(k), std::uint8_t{0});
  }
}

#if HWY_TARGET == HWY_AVX3
namespace {

using gemm::IntTag;
using gemm::PairTag;
using Integers = hn::Vec<IntTag>;

constexpr int kQuadSize = kPanel * 4;
constexpr int kPairSize = kPanel * 2;

/// sum += the products of 4 bytes, unsigned by signed, for each column.
HWY_INLINE void multiply_bytes(Integers a, Integers w, Integers& sum) {
  asm("vpdpbusd %[w], %[a], %[sum]" : [sum] "+v"(sum.raw) : [a] "v"(a.raw), [w] "v"(w.raw));
}

/// From two stored pairs of inputs of all columns to the 4 inputs of each column.
HWY_INLINE Integers quad_order(Integers stored) {
  // Highway's tables of 16-bit lanes came later than the version that is in use.
  alignas(64) static constexpr std::int16_t kOrder[] = {0,  16, 1,  17, 2,  18, 3,  19, 4,  20, 5,
                                                        21, 6,  22, 7,  23, 8,  24, 9,  25, 10, 26,
                                                        11, 27, 12, 28, 13, 29, 14, 30, 15, 31};
  return Integers{_mm512_permutexvar_epi16(hn::Load(PairTag(), kOrder).raw, stored.raw)};
}
HWY_INLINE Integers load_quad(const std::int8_t* stored) {
  const hn::Repartition<std::int8_t, IntTag> bytes;
  return quad_order(hn::BitCast(IntTag(), hn::LoadU(bytes, stored)));
}
/// The same for a last pair that has no second one.
HWY_INLINE Integers load_pair(const std::int8_t* stored) {
  const hn::Repartition<std::int8_t, IntTag> bytes;
  return quad_order(
      hn::BitCast(IntTag(), hn::MaskedLoad(hn::FirstN(bytes, kPairSize), bytes, stored)));
}

HWY_INLINE Integers ones() { return hn::Set(IntTag(), 0x01010101); }

/// Unit = 4 inputs, weights in the order of load_quad.
struct ByteQuads {
  using Value = std::uint8_t;
  using Weight = std::int8_t;
  using Sum = std::int32_t;
  using SumTag = IntTag;
  using Factor = Integers;
  static constexpr int kValuesPerUnit = 4;
  static constexpr int kDepth = 192;  // one slice for all inputs of KoBART's layers but one

  static HWY_INLINE Factor broadcast(const std::uint8_t* a) {
    std::int32_t quad;
    std::memcpy(&quad, a, sizeof(quad));
    return hn::Set(IntTag(), quad);
  }
  static HWY_INLINE Factor load(const std::int8_t* w) {
    return hn::Load(IntTag(), reinterpret_cast<const std::int32_t*>(w));
  }
  static HWY_INLINE void multiply_add(Factor a, Factor w, Integers& sum) {
    multiply_bytes(a, w, sum);
  }
};

/// A panel as products of bytes read it: whole quads and, where their number is odd, a last pair.
struct QuadPanels : gemm::Panels<std::int8_t> {
  QuadPanels(const PackedI8& packed, int panel_begin, int panel_end)
      : Panels{.data = packed.data,
               .size = static_cast<std::ptrdiff_t>(pairs(packed.k)) * kPairSize,
               .unit_size = kQuadSize,
               .units = quads(packed.k),
               .begin = panel_begin,
               .end = panel_end} {}
  [[nodiscard]] int bytes_of(int unit) const {
    return static_cast<int>(std::min<std::ptrdiff_t>(kQuadSize, size - unit * unit_size));
  }
};

/// Sums of the columns of the panels that are at work.
class ColumnSums {
 public:
  explicit ColumnSums(int panel_begin) : begin_(panel_begin) {}
  [[nodiscard]] HWY_INLINE std::int32_t* of(int panel) {
    return sums_[(panel - begin_) % gemm::kGroup];
  }
  [[nodiscard]] HWY_INLINE const std::int32_t* of(int panel) const {
    return sums_[(panel - begin_) % gemm::kGroup];
  }

 private:
  int begin_;
  alignas(64) std::int32_t sums_[gemm::kGroup][kPanel];
};

/// Back to floats. The order of the two multiplications is that of the scalar twin.
struct ShiftedProducts {
  const RowsU8& a;
  const float* column_scales;
  const ColumnSums& column_sums;

  HWY_INLINE hn::Vec<FloatTag> operator()(const std::int32_t* sums, int row, int column) const {
    const FloatTag tag;
    const auto zeros = hn::Mul(hn::Set(IntTag(), a.zeros[row]),
                               hn::Load(IntTag(), column_sums.of(column / kPanel)));
    const auto product = hn::ConvertTo(tag, hn::Sub(hn::LoadU(IntTag(), sums), zeros));
    return hn::Mul(hn::Mul(product, hn::Set(tag, a.scales[row])),
                   hn::LoadU(tag, column_scales + column));
  }
};

/// Adds the products of 4 inputs of each row, and of ones.
template <int kRows>
HWY_INLINE void add_quad(const std::uint8_t* HWY_RESTRICT a, std::ptrdiff_t lda, Integers weights,
                         Integers (&sum)[kRows], Integers& total) {
  multiply_bytes(ones(), weights, total);
#pragma GCC unroll 8
  for (int r = 0; r < kRows; ++r) {
    multiply_bytes(ByteQuads::broadcast(a + r * lda), weights, sum[r]);
  }
}

/// sums [kRows][kPanel] = a [kRows, k] times a panel, and the sums of its columns.
template <int kRows>
HWY_NOINLINE void byte_tile(const std::uint8_t* HWY_RESTRICT a, std::ptrdiff_t lda,
                            const QuadPanels& w, int panel, std::int32_t* HWY_RESTRICT sums,
                            std::int32_t* HWY_RESTRICT column_sums) {
  Integers sum[kRows];
#pragma GCC unroll 8
  for (int r = 0; r < kRows; ++r) sum[r] = hn::Zero(IntTag());
  Integers total = hn::Zero(IntTag());
  const std::int8_t* stored = w.at(panel, 0);
  const std::ptrdiff_t whole = w.size / kQuadSize;
  for (std::ptrdiff_t unit = 0; unit < whole; ++unit) {
    __builtin_prefetch(stored + unit * kQuadSize + gemm::kStreamAhead);
    add_quad(a + unit * 4, lda, load_quad(stored + unit * kQuadSize), sum, total);
  }
  if (whole < w.units) {
    add_quad(a + whole * 4, lda, load_pair(stored + whole * kQuadSize), sum, total);
  }
#pragma GCC unroll 8
  for (int r = 0; r < kRows; ++r) hn::Store(sum[r], IntTag(), sums + r * kPanel);
  hn::Store(total, IntTag(), column_sums);
}

using ByteTile = void (*)(const std::uint8_t*, std::ptrdiff_t, const QuadPanels&, int,
                          std::int32_t*, std::int32_t*);

ByteTile byte_tile_function(int rows) {
  static constexpr auto kFunctions = []<std::size_t... kIndex>(std::index_sequence<kIndex...>) {
    return std::array<ByteTile, gemm::kTileRows>{byte_tile<kIndex + 1>...};
  }
  (std::make_index_sequence<gemm::kTileRows>());
  return kFunctions[static_cast<std::size_t>(rows - 1)];
}

/// Puts a slice into order and adds to the sums of its columns.
void prepare_quads(const QuadPanels& w, int panel, int unit, int units, std::int8_t* out,
                   std::int32_t* column_sums) {
  Integers total = unit == 0 ? hn::Zero(IntTag()) : hn::Load(IntTag(), column_sums);
  const std::int8_t* stored = w.at(panel, unit);
  const int whole = w.bytes_of(unit + units - 1) == kQuadSize ? units : units - 1;
  for (std::ptrdiff_t at = 0; at < units; ++at) {
    const std::int8_t* from = stored + at * kQuadSize;
    const Integers quad = at < whole ? load_quad(from) : load_pair(from);
    multiply_bytes(ones(), quad, total);
    hn::Store(quad, IntTag(), reinterpret_cast<std::int32_t*>(out + at * kQuadSize));
  }
  hn::Store(total, IntTag(), column_sums);
}

}  // namespace

void gemm_u8_i8_vnni(const RowsU8& a, int m, const PackedI8& w, int panel_begin, int panel_end,
                     float* c, std::ptrdiff_t ldc, const Epilogue& epilogue) {
  if (m == 0) return;
  const QuadPanels stored(w, panel_begin, panel_end);
  ColumnSums column_sums(panel_begin);
  const Finish<ShiftedProducts> finish({a, w.scales, column_sums}, w.n, c, ldc, epilogue);
  if (m <= gemm::kTileRows) {
    const ByteTile tile = byte_tile_function(m);
    alignas(64) std::int32_t sums[gemm::kTileRows * kPanel];
    for (int panel = panel_begin; panel < panel_end; ++panel) {
      tile(a.data, a.ld, stored, panel, sums, column_sums.of(panel));
      finish(sums, 0, m, panel);
    }
    return;
  }
  alignas(64) std::int8_t slices[gemm::kTilePanels][ByteQuads::kDepth * kQuadSize];
  const auto prepare = [&](int place, int panel, int unit, int units) {
    if (units == 0) {
      std::fill_n(column_sums.of(panel), kPanel, 0);
    } else {
      prepare_quads(stored, panel, unit, units, slices[place], column_sums.of(panel));
    }
    return static_cast<const std::int8_t*>(slices[place]);
  };
  gemm::many_rows<ByteQuads>(a.data, a.ld, m, static_cast<const gemm::Panels<std::int8_t>&>(stored),
                             prepare, finish);
}
#endif  // HWY_AVX3

#endif  // KOBOLT_SIMD_TARGET
}  // namespace kobolt::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
