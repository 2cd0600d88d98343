// No #pragma once: foreach_target includes this once for each target.
#if defined(KOBOLT_KERNELS_BF16_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef KOBOLT_KERNELS_BF16_INL_H_
#undef KOBOLT_KERNELS_BF16_INL_H_
#else
#define KOBOLT_KERNELS_BF16_INL_H_
#endif

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "hwy/highway.h"
#include "kernels/simd/finish-inl.h"
#include "kernels/simd/gemm-inl.h"

// Products of rows and weights of bfloat16 by AVX512_BF16, two inputs of 16 columns in one
// instruction: what those of dense and of sparse matrices share. In assembly, as those of VNNI and
// for the same reason (panel-inl.h).
HWY_BEFORE_NAMESPACE();
namespace kobolt::kernels::HWY_NAMESPACE {
#if HWY_TARGET == HWY_AVX3
namespace {

using gemm::IntTag;
using WordTag = hn::Repartition<std::uint16_t, IntTag>;

/// Unit = 2 inputs, as they are stored: the second one's columns follow those of the first. Each
/// tile puts them into pairs as it loads them, on AMD's processors on a port that products leave
/// idle.
struct BFloatPairs {
  using Value = std::uint16_t;
  using Weight = std::uint16_t;
  using Sum = float;
  using SumTag = FloatTag;
  using Factor = hn::Vec<IntTag>;  // pairs
  static constexpr int kValuesPerUnit = 2;
  static constexpr std::ptrdiff_t kStoredPerUnit = kPanel * 2;
  static constexpr int kDepth = 384;  // one slice for all inputs of KoBART's layers but one
  static constexpr int kTileRows = gemm::kTileRows;
  static constexpr int kMostPanels = gemm::kTilePanels;

  static HWY_INLINE Factor broadcast(const std::uint16_t* a) {
    std::int32_t pair;
    std::memcpy(&pair, a, sizeof(pair));
    return hn::Set(IntTag(), pair);
  }
  static HWY_INLINE Factor load(const std::uint16_t* w) {
    return gemm::alternate_halves(hn::BitCast(IntTag(), hn::LoadU(WordTag(), w)));
  }
  static HWY_INLINE void multiply_add(Factor a, Factor w, hn::Vec<FloatTag>& sum) {
    asm("vdpbf16ps %[w], %[a], %[sum]" : [sum] "+v"(sum.raw) : [a] "v"(a.raw), [w] "v"(w.raw));
  }
};

}  // namespace
#endif  // HWY_AVX3
}  // namespace kobolt::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
