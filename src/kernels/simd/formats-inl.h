// No #pragma once: foreach_target includes this once for each target.
#if defined(KOBOLT_KERNELS_FORMATS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef KOBOLT_KERNELS_FORMATS_INL_H_
#undef KOBOLT_KERNELS_FORMATS_INL_H_
#else
#define KOBOLT_KERNELS_FORMATS_INL_H_
#endif

#include <cstddef>
#include <cstdint>

#include "hwy/highway.h"
#include "kernels/simd/gemm-inl.h"
#include "kernels/simd/math-inl.h"

// From stored weights to what tiles multiply, and from their sums to floats: what the products of
// dense and of sparse matrices share.
HWY_BEFORE_NAMESPACE();
namespace kobolt::kernels::HWY_NAMESPACE {
#if KOBOLT_SIMD_TARGET
namespace {
namespace gemm {

/// Unit = one float, widened from a stored value of 16 bits as it is loaded.
template <class Stored>
struct NarrowFloats : FloatUnits {
  using Weight = std::uint16_t;
  static HWY_INLINE Factor load(const std::uint16_t* w) {
    const hn::Rebind<std::uint16_t, FloatTag> bits;
    const hn::Rebind<Stored, FloatTag> stored;
    return hn::PromoteTo(FloatTag(), hn::BitCast(stored, hn::LoadU(bits, w)));
  }
};

/// 16 bits -> float, so that the many tiles that pass over a slice need not each do it.
template <class Narrow>
HWY_INLINE void widen(const std::uint16_t* HWY_RESTRICT narrow, int units,
                      float* HWY_RESTRICT wide) {
  const std::ptrdiff_t count = static_cast<std::ptrdiff_t>(units) * kPanel;
  for (std::ptrdiff_t i = 0; i < count; i += kLanes) {
    hn::StoreU(Narrow::load(narrow + i), FloatTag(), wide + i);
  }
}

/// int8: back to floats. The order of the two multiplications is that of the scalar twin.
struct ScaledProducts {
  static constexpr Closeness kCloseness = Closeness::exact;

  const float* row_scales;
  const float* column_scales;

  [[nodiscard]] HWY_INLINE auto of_columns(int column) const {
    const FloatTag tag;
    return [row_scale = row_scales, scales = hn::LoadU(tag, column_scales + column), tag](
               const std::int32_t* sums, int row, hn::Vec<FloatTag> bias) {
      const auto product = hn::ConvertTo(tag, hn::LoadU(IntTag(), sums));
      return hn::MulAdd(hn::Mul(product, hn::Set(tag, row_scale[row])), scales, bias);
    };
  }
};

/// int8 -> int16, so that the many tiles that pass over a slice need not each do it.
HWY_INLINE void widen(const std::int8_t* HWY_RESTRICT narrow, int units,
                      std::int16_t* HWY_RESTRICT wide) {
  const PairTag tag;
  constexpr std::ptrdiff_t kStep = hn::MaxLanes(PairTag());
  const std::ptrdiff_t count = static_cast<std::ptrdiff_t>(units) * kPanel * 2;
  for (std::ptrdiff_t i = 0; i < count; i += kStep) {
    hn::StoreU(NarrowPairs<PairProducts>::load(narrow + i), tag, wide + i);
  }
}

}  // namespace gemm
}  // namespace
#endif  // KOBOLT_SIMD_TARGET
}  // namespace kobolt::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
