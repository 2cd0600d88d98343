// No #pragma once: foreach_target includes this once for each target.
#if defined(KOBOLT_KERNELS_PANEL_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef KOBOLT_KERNELS_PANEL_INL_H_
#undef KOBOLT_KERNELS_PANEL_INL_H_
#else
#define KOBOLT_KERNELS_PANEL_INL_H_
#endif

#include <cstdint>
#include <cstring>

#include "hwy/highway.h"
#include "kernels/kernels.h"

// The vectors of a panel, and what the instruction sets do differently: how many sums fit into the
// registers, and products of pairs of int16. Everything else about products is common to all.
HWY_BEFORE_NAMESPACE();
namespace kobolt::kernels::HWY_NAMESPACE {
#if KOBOLT_SIMD_TARGET
namespace {
namespace gemm {

namespace hn = hwy::HWY_NAMESPACE;

using FloatTag = hn::CappedTag<float, kPanel>;
using IntTag = hn::RebindToSigned<FloatTag>;
using PairTag = hn::Repartition<std::int16_t, IntTag>;
using ByteTag = hn::Rebind<std::int8_t, PairTag>;

constexpr int kLanes = static_cast<int>(hn::MaxLanes(FloatTag()));
constexpr int kVectors = kPanel / kLanes;

/// Panels of a tile of many rows. With AVX-512 a panel is a single vector; two share broadcasts.
constexpr int kTilePanels = HWY_TARGET == HWY_AVX3 ? 2 : 1;
/// The same where instructions are what a core may lack (prefers_wide_tiles()).
constexpr int kMostPanels = HWY_TARGET == HWY_AVX3 ? 3 : 1;

/// Vectors of sums in the largest tile. AVX2: 12, with 2 registers for the panel and 1 or 2 for
/// broadcasts, is all 16. NEON: 20 beside 4 for the panel and one for each row's broadcast, of 32;
/// with 24 GCC spills. AVX-512 has 32 too, but on Zen 4 tiles of 24 sums were slower: 12 rows x 2
/// panels by a tenth, 8 rows x 3 panels by a twentieth.
constexpr int kSums = HWY_TARGET == HWY_NEON ? 20 : HWY_TARGET == HWY_AVX3 ? 16 : 12;

#if HWY_TARGET == HWY_NEON

/// Weights of four columns, both of each pair, in the order in which PairProducts takes them: the
/// first of each pair, then the second of each.
HWY_INLINE hn::Vec<PairTag> pair_order(hn::Vec<PairTag> stored) {
  alignas(16) static constexpr std::uint8_t kOrder[16] = {0, 1, 4, 5, 8,  9,  12, 13,
                                                          2, 3, 6, 7, 10, 11, 14, 15};
  const hn::Repartition<std::uint8_t, PairTag> bytes;
  return hn::TableLookupBytes(stored, hn::BitCast(PairTag(), hn::Load(bytes, kOrder)));
}

/// sum += a[0] * w[first] + a[1] * w[second] for each column; `a` is one pair, repeated.
struct PairProducts {
  static HWY_INLINE void add(hn::Vec<PairTag> a, hn::Vec<PairTag> w, hn::Vec<IntTag>& sum) {
    sum.raw = vmlal_laneq_s16(sum.raw, vget_low_s16(w.raw), a.raw, 0);
    sum.raw = vmlal_high_laneq_s16(sum.raw, w.raw, a.raw, 1);
  }
};

#else

/// Weights as they are stored are in order.
HWY_INLINE hn::Vec<PairTag> pair_order(hn::Vec<PairTag> stored) { return stored; }

/// sum += a[0] * w[first] + a[1] * w[second] for each column; `a` is one pair, repeated.
struct PairProducts {
  static HWY_INLINE void add(hn::Vec<PairTag> a, hn::Vec<PairTag> w, hn::Vec<IntTag>& sum) {
    // GCC 12 would hoist all twelve products above the sums and spill half of the registers; as one
    // block, product and sum need a single temporary. "v" is any register that the target has.
    hn::Vec<IntTag> product;
    asm("vpmaddwd %[w], %[a], %[product]\n\t"
        "vpaddd %[product], %[sum], %[sum]"
        : [sum] "+v"(sum.raw), [product] "=&v"(product.raw)
        : [a] "v"(a.raw), [w] "v"(w.raw));
  }
};

#if HWY_TARGET == HWY_AVX3
/// The same in one instruction, of AVX512_VNNI. Assembly again: the target that Highway has for it
/// asks for much more than VNNI, and would compile all kernels once more.
struct VnniPairProducts {
  static HWY_INLINE void add(hn::Vec<PairTag> a, hn::Vec<PairTag> w, hn::Vec<IntTag>& sum) {
    asm("vpdpwssd %[w], %[a], %[sum]" : [sum] "+v"(sum.raw) : [a] "v"(a.raw), [w] "v"(w.raw));
  }
};

/// The words of the lower half of a vector alternating with those of the upper half: what is stored
/// of all columns one after the other comes together for each column.
HWY_INLINE hn::Vec<IntTag> alternate_halves(hn::Vec<IntTag> stored) {
  // Highway's tables of 16-bit lanes came later than the version that is in use.
  alignas(64) static constexpr std::int16_t kOrder[] = {0,  16, 1,  17, 2,  18, 3,  19, 4,  20, 5,
                                                        21, 6,  22, 7,  23, 8,  24, 9,  25, 10, 26,
                                                        11, 27, 12, 28, 13, 29, 14, 30, 15, 31};
  return hn::Vec<IntTag>{_mm512_permutexvar_epi16(hn::Load(PairTag(), kOrder).raw, stored.raw)};
}
#endif

#endif

}  // namespace gemm
}  // namespace
#endif  // KOBOLT_SIMD_TARGET
}  // namespace kobolt::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
