// No #pragma once: foreach_target includes this once for each target.
#if defined(KOBOLT_KERNELS_TURN_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef KOBOLT_KERNELS_TURN_INL_H_
#undef KOBOLT_KERNELS_TURN_INL_H_
#else
#define KOBOLT_KERNELS_TURN_INL_H_
#endif

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "hwy/highway.h"
#include "kernels/simd/panel-inl.h"

// Transposing for products whose vectors hold 16 rows of one input or column, instead of 16 columns
// of one row. AVX-512 alone.
HWY_BEFORE_NAMESPACE();
namespace kobolt::kernels::HWY_NAMESPACE {
#if HWY_TARGET == HWY_AVX3
namespace {
namespace turn {

namespace hn = hwy::HWY_NAMESPACE;

using Words = hn::Vec<gemm::IntTag>;

/// Rows of a turned group: lanes of a vector of 32 bits.
constexpr int kRows = 16;

/// Block b of vector i becomes block i of vector b, of 4 vectors of 4 blocks of 16 bytes.
HWY_INLINE void exchange_blocks(Words& v0, Words& v1, Words& v2, Words& v3) {
  const __m512i low01 = _mm512_shuffle_i32x4(v0.raw, v1.raw, 0x44);
  const __m512i low23 = _mm512_shuffle_i32x4(v2.raw, v3.raw, 0x44);
  const __m512i high01 = _mm512_shuffle_i32x4(v0.raw, v1.raw, 0xEE);
  const __m512i high23 = _mm512_shuffle_i32x4(v2.raw, v3.raw, 0xEE);
  v0.raw = _mm512_shuffle_i32x4(low01, low23, 0x88);
  v1.raw = _mm512_shuffle_i32x4(low01, low23, 0xDD);
  v2.raw = _mm512_shuffle_i32x4(high01, high23, 0x88);
  v3.raw = _mm512_shuffle_i32x4(high01, high23, 0xDD);
}

/// One of the rounds that turn 16 vectors within their blocks: the i-th and the (i + 8)-th are
/// interleaved. A round moves the highest bit of a vector's number to the lowest of a lane's, and
/// the highest bit of a lane's to the lowest of a vector's.
template <class Tag>
HWY_INLINE void interleave_halves(Tag tag, Words (&v)[kRows]) {
  Words next[kRows];
#pragma GCC unroll 8
  for (int i = 0; i < kRows / 2; ++i) {
    const auto first = hn::BitCast(tag, v[i]);
    const auto second = hn::BitCast(tag, v[i + kRows / 2]);
    next[2 * i] = hn::BitCast(gemm::IntTag(), hn::InterleaveLower(tag, first, second));
    next[2 * i + 1] = hn::BitCast(gemm::IntTag(), hn::InterleaveUpper(tag, first, second));
  }
#pragma GCC unroll 16
  for (int i = 0; i < kRows; ++i) v[i] = next[i];
}

/// Lane j of vector i becomes lane i of vector j.
HWY_INLINE void turn_words(const Words (&in)[kRows], Words (&v)[kRows]) {
  // Blocks are exchanged last, and take the two lower bits of a vector's number for the upper ones.
#pragma GCC unroll 16
  for (int i = 0; i < kRows; ++i) v[i] = in[i % 4 * 4 + i / 4];
#pragma GCC unroll 2
  for (int round = 0; round < 2; ++round) interleave_halves(gemm::IntTag(), v);
#pragma GCC unroll 4
  for (int i = 0; i < 4; ++i) exchange_blocks(v[i], v[i + 4], v[i + 8], v[i + 12]);
}

/// Inputs that turn_rows takes at once.
template <class Value>
constexpr int kStep = sizeof(Words) / sizeof(Value);

/// x [rows, k] of 1..16 rows -> out [k rounded up to kStep][kRows]. Lanes of rows that are missing
/// repeat the last one.
template <class Value>
HWY_NOINLINE void turn_rows(const Value* HWY_RESTRICT x, std::ptrdiff_t ld, int rows, int k,
                            Value* HWY_RESTRICT out) {
  const hn::Repartition<Value, gemm::IntTag> tag;
  for (int begin = 0; begin < k; begin += kStep<Value>) {
    const auto inside =
        hn::FirstN(tag, static_cast<std::size_t>(std::min(k - begin, kStep<Value>)));
    Words in[kRows];
    Words v[kRows];
#pragma GCC unroll 16
    for (int r = 0; r < kRows; ++r) {
      const Value* row = x + std::min(r, rows - 1) * ld + begin;
      in[r] = hn::BitCast(gemm::IntTag(), hn::MaskedLoad(inside, tag, row));
    }
    const auto store = [&](int input, Words turned) {
      hn::StoreU(hn::BitCast(tag, turned), tag, out + std::ptrdiff_t{begin + input} * kRows);
    };
    if constexpr (sizeof(Value) == sizeof(std::int32_t)) {
      turn_words(in, v);
#pragma GCC unroll 16
      for (int i = 0; i < kRows; ++i) store(i, v[i]);
    } else {
      static_assert(sizeof(Value) == 1);
#pragma GCC unroll 4
      for (int round = 0; round < 4; ++round) interleave_halves(tag, in);
        // Block b of vector i is input 16 b + i.
#pragma GCC unroll 4
      for (int i = 0; i < kRows; i += 4) {
        exchange_blocks(in[i], in[i + 1], in[i + 2], in[i + 3]);
#pragma GCC unroll 4
        for (int b = 0; b < 4; ++b) store(16 * b + i, in[i + b]);
      }
    }
  }
}

/// Sums [kPanel][kRows] -> [kRows][kPanel].
template <class Sum>
HWY_INLINE void turn_sums(const Sum* HWY_RESTRICT columns, Sum* HWY_RESTRICT out) {
  const gemm::IntTag tag;
  const hn::Rebind<Sum, gemm::IntTag> sums;
  Words in[kRows];
  Words v[kRows];
#pragma GCC unroll 16
  for (int i = 0; i < kRows; ++i) in[i] = hn::BitCast(tag, hn::Load(sums, columns + i * kRows));
  turn_words(in, v);
#pragma GCC unroll 16
  for (int i = 0; i < kRows; ++i) hn::Store(hn::BitCast(sums, v[i]), sums, out + i * kPanel);
}

}  // namespace turn
}  // namespace
#endif  // HWY_AVX3
}  // namespace kobolt::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
