// No #pragma once: foreach_target includes this once for each target.
#if defined(KOBOLT_KERNELS_QUADS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef KOBOLT_KERNELS_QUADS_INL_H_
#undef KOBOLT_KERNELS_QUADS_INL_H_
#else
#define KOBOLT_KERNELS_QUADS_INL_H_
#endif

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "hwy/highway.h"
#include "kernels/simd/gemm-inl.h"

// Products of bytes by vpdpbusd, 4 inputs of 16 columns in one instruction. It wants the weights of
// 4 inputs of a column together; two stored pairs become that by one permutation of 16-bit words.
HWY_BEFORE_NAMESPACE();
namespace kobolt::kernels::HWY_NAMESPACE {
#if KOBOLT_SIMD_TARGET && HWY_TARGET == HWY_AVX3
namespace {

using Integers = hn::Vec<gemm::IntTag>;

constexpr int kQuadSize = kPanel * 4;
constexpr int kPairSize = kPanel * 2;

/// sum += the products of 4 bytes, unsigned by signed, for each column.
HWY_INLINE void multiply_bytes(Integers a, Integers w, Integers& sum) {
  asm("vpdpbusd %[w], %[a], %[sum]" : [sum] "+v"(sum.raw) : [a] "v"(a.raw), [w] "v"(w.raw));
}

/// From two stored pairs of inputs of all columns to the 4 inputs of each column.
HWY_INLINE Integers load_quad(const std::int8_t* stored) {
  const hn::Repartition<std::int8_t, gemm::IntTag> bytes;
  return gemm::alternate_halves(hn::BitCast(gemm::IntTag(), hn::LoadU(bytes, stored)));
}
/// The same for a last pair that has no second one.
HWY_INLINE Integers load_pair(const std::int8_t* stored) {
  const hn::Repartition<std::int8_t, gemm::IntTag> bytes;
  return gemm::alternate_halves(
      hn::BitCast(gemm::IntTag(), hn::MaskedLoad(hn::FirstN(bytes, kPairSize), bytes, stored)));
}

HWY_INLINE Integers ones() { return hn::Set(gemm::IntTag(), 0x01010101); }

/// Unit = 4 inputs, weights in the order of load_quad.
struct ByteQuads {
  using Value = std::uint8_t;
  using Weight = std::int8_t;
  using Sum = std::int32_t;
  using SumTag = gemm::IntTag;
  using Factor = Integers;
  static constexpr int kValuesPerUnit = 4;
  static constexpr int kDepth = 192;  // one slice for all inputs of KoBART's layers but one
  static constexpr int kTileRows = gemm::kTileRows;
  static constexpr int kMostPanels = gemm::kMostPanels;

  static HWY_INLINE Factor broadcast(const std::uint8_t* a) {
    std::int32_t quad;
    std::memcpy(&quad, a, sizeof(quad));
    return hn::Set(gemm::IntTag(), quad);
  }
  static HWY_INLINE Factor load(const std::int8_t* w) {
    return hn::Load(gemm::IntTag(), reinterpret_cast<const std::int32_t*>(w));
  }
  static HWY_INLINE void multiply_add(Factor a, Factor w, Integers& sum) {
    multiply_bytes(a, w, sum);
  }
};

}  // namespace
#endif  // KOBOLT_SIMD_TARGET && HWY_AVX3
}  // namespace kobolt::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
