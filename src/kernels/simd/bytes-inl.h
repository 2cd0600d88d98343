// No #pragma once: foreach_target includes this once for each target.
#if defined(KOBOLT_KERNELS_BYTES_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef KOBOLT_KERNELS_BYTES_INL_H_
#undef KOBOLT_KERNELS_BYTES_INL_H_
#else
#define KOBOLT_KERNELS_BYTES_INL_H_
#endif

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <utility>

#include "hwy/highway.h"
#include "kernels/bytes.h"
#include "kernels/simd/finish-inl.h"
#include "kernels/simd/gemm-inl.h"
#include "kernels/simd/quads-inl.h"

// Products of rows of bytes: what those of dense and of sparse matrices share.
//
// sum((a - zero) * w) = sum(a * w) - zero * sum(w): the sums of the columns of w are products with
// a row of ones. A dense matrix has them (sum_columns); of a sparse one few rows have that row in
// their tile, and for many it is computed as a slice is put into order.
HWY_BEFORE_NAMESPACE();
namespace kobolt::kernels::HWY_NAMESPACE {
#if KOBOLT_SIMD_TARGET
namespace {

using gemm::IntTag;
using gemm::PairTag;
using Integers = hn::Vec<IntTag>;

/// Sums of the columns of the panels that are at work.
template <class Sum>
class ColumnSums {
 public:
  explicit ColumnSums(int panel_begin) : begin_(panel_begin) {}
  [[nodiscard]] HWY_INLINE Sum* of(int panel) { return sums_[(panel - begin_) % gemm::kGroup]; }
  [[nodiscard]] HWY_INLINE const Sum* of(int panel) const {
    return sums_[(panel - begin_) % gemm::kGroup];
  }

 private:
  int begin_;
  alignas(64) Sum sums_[gemm::kGroup][kPanel];
};

#if HWY_TARGET == HWY_AVX3

/// The sums of a whole matrix, for ShiftedProducts.
struct StoredSums {
  const std::int32_t* sums;
  [[nodiscard]] HWY_INLINE const std::int32_t* of(int panel) const { return sums + panel * kPanel; }
};

/// Back to floats. The order of the two multiplications is that of the scalar twin. `Sums` gives
/// of(panel), the sums of its columns.
template <class Sums>
struct ShiftedProducts {
  static constexpr Closeness kCloseness = Closeness::coarse;

  const RowsU8& a;
  const float* column_scales;
  const Sums& column_sums;

  [[nodiscard]] HWY_INLINE auto of_columns(int column) const {
    const FloatTag tag;
    return
        [row_scale = a.scales, row_zero = a.zeros, scales = hn::LoadU(tag, column_scales + column),
         weights = hn::LoadU(IntTag(), column_sums.of(column / kPanel)),
         tag](const std::int32_t* sums, int row, hn::Vec<FloatTag> bias) {
          const auto zeros = hn::Mul(hn::Set(IntTag(), row_zero[row]), weights);
          const auto product = hn::ConvertTo(tag, hn::Sub(hn::LoadU(IntTag(), sums), zeros));
          return hn::MulAdd(hn::Mul(product, hn::Set(tag, row_scale[row])), scales, bias);
        };
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

/// sums [kRows][kPanel] (+)= a times weights as they are stored, and the sums of their columns.
/// `bytes`: whole quads and, where the number of pairs is odd, a last pair.
template <int kRows>
HWY_NOINLINE void byte_tile(const std::uint8_t* HWY_RESTRICT a, std::ptrdiff_t lda,
                            const std::int8_t* HWY_RESTRICT stored, std::ptrdiff_t bytes,
                            bool accumulate, std::int32_t* HWY_RESTRICT sums,
                            std::int32_t* HWY_RESTRICT column_sums) {
  Integers sum[kRows];
#pragma GCC unroll 8
  for (int r = 0; r < kRows; ++r) {
    sum[r] = accumulate ? hn::Load(IntTag(), sums + r * kPanel) : hn::Zero(IntTag());
  }
  Integers total = accumulate ? hn::Load(IntTag(), column_sums) : hn::Zero(IntTag());
  const std::ptrdiff_t whole = bytes / kQuadSize;
  for (std::ptrdiff_t unit = 0; unit < whole; ++unit) {
    gemm::ToL2()(reinterpret_cast<const char*>(stored + unit * kQuadSize + gemm::kStreamAhead));
    add_quad(a + unit * 4, lda, load_quad(stored + unit * kQuadSize), sum, total);
  }
  if (whole * kQuadSize < bytes) {
    add_quad(a + whole * 4, lda, load_pair(stored + whole * kQuadSize), sum, total);
  }
#pragma GCC unroll 8
  for (int r = 0; r < kRows; ++r) hn::Store(sum[r], IntTag(), sums + r * kPanel);
  hn::Store(total, IntTag(), column_sums);
}

using ByteTile = void (*)(const std::uint8_t*, std::ptrdiff_t, const std::int8_t*, std::ptrdiff_t,
                          bool, std::int32_t*, std::int32_t*);

inline ByteTile byte_tile_function(int rows) {
  static constexpr auto kFunctions = []<std::size_t... kIndex>(std::index_sequence<kIndex...>) {
    return std::array<ByteTile, gemm::kTileRows>{byte_tile<kIndex + 1>...};
  }
  (std::make_index_sequence<gemm::kTileRows>());
  return kFunctions[static_cast<std::size_t>(rows - 1)];
}

/// The products of ones with `bytes` bytes of stored weights, whole quads and maybe a last pair,
/// are the sums of their columns; computes them, or adds to them. take(at, quad) is given each
/// quad.
template <class Take>
HWY_INLINE void sum_columns(const std::int8_t* stored, std::ptrdiff_t bytes, bool accumulate,
                            std::int32_t* column_sums, const Take& take) {
  // Two chains, because a product takes longer than what else is to be done for a quad.
  Integers even = accumulate ? hn::Load(IntTag(), column_sums) : hn::Zero(IntTag());
  Integers odd = hn::Zero(IntTag());
  std::ptrdiff_t at = 0;
  for (; at + 2 * kQuadSize <= bytes; at += 2 * kQuadSize) {
    const Integers first = load_quad(stored + at);
    const Integers second = load_quad(stored + at + kQuadSize);
    multiply_bytes(ones(), first, even);
    multiply_bytes(ones(), second, odd);
    take(at, first);
    take(at + kQuadSize, second);
  }
  if (at + kQuadSize <= bytes) {
    const Integers quad = load_quad(stored + at);
    multiply_bytes(ones(), quad, even);
    take(at, quad);
    at += kQuadSize;
  }
  if (at < bytes) {
    const Integers quad = load_pair(stored + at);
    multiply_bytes(ones(), quad, even);
    take(at, quad);
  }
  hn::Store(hn::Add(even, odd), IntTag(), column_sums);
}

/// Puts stored weights into the order of load_quad. `bytes` as above.
inline void order_quads(const std::int8_t* stored, std::ptrdiff_t bytes, std::int8_t* out) {
  const auto put = [out](std::ptrdiff_t at, Integers quad) {
    hn::Store(quad, IntTag(), reinterpret_cast<std::int32_t*>(out + at));
  };
  std::ptrdiff_t at = 0;
  for (; at + kQuadSize <= bytes; at += kQuadSize) put(at, load_quad(stored + at));
  if (at < bytes) put(at, load_pair(stored + at));
}
/// The same, and computes the sums of their columns, or adds to them.
inline void order_quads(const std::int8_t* stored, std::ptrdiff_t bytes, bool accumulate,
                        std::int8_t* out, std::int32_t* column_sums) {
  sum_columns(stored, bytes, accumulate, column_sums, [out](std::ptrdiff_t at, Integers quad) {
    hn::Store(quad, IntTag(), reinterpret_cast<std::int32_t*>(out + at));
  });
}

#endif  // HWY_AVX3

}  // namespace
#endif  // KOBOLT_SIMD_TARGET
}  // namespace kobolt::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
