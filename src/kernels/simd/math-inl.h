// No #pragma once: foreach_target includes this once for each target.
#if defined(KOBOLT_KERNELS_MATH_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef KOBOLT_KERNELS_MATH_INL_H_
#undef KOBOLT_KERNELS_MATH_INL_H_
#else
#define KOBOLT_KERNELS_MATH_INL_H_
#endif

#include <cstddef>

#include "hwy/highway.h"
#include "kobolt/model.h"

// Elementary functions on vectors of float. The coefficients are fits of our own (relative error
// minimised over the interval that is named, by reweighted least squares in double precision).
HWY_BEFORE_NAMESPACE();
namespace kobolt::kernels::HWY_NAMESPACE {
#if KOBOLT_SIMD_TARGET
namespace {

namespace hn = hwy::HWY_NAMESPACE;

/// c[0] + c[1] x + ... by Horner's rule.
template <class D, std::size_t kTerms>
HWY_INLINE hn::Vec<D> polynomial(D d, hn::Vec<D> x, const float (&coefficients)[kTerms]) {
  hn::Vec<D> sum = hn::Set(d, coefficients[kTerms - 1]);
  for (std::size_t i = kTerms - 1; i > 0; --i) {
    sum = hn::MulAdd(sum, x, hn::Set(d, coefficients[i - 1]));
  }
  return sum;
}

/// round_product() of each lane. Adding 1.5 * 2^23 rounds, and leaves the integer in the lowest
/// bits; a conversion would also have to care for what fits no integer.
template <class D>
HWY_INLINE hn::Vec<hn::RebindToSigned<D>> rounded_product(D d, hn::Vec<D> x, hn::Vec<D> factor) {
  const hn::RebindToSigned<D> integers;
  const auto shifter = hn::Set(d, 12582912.0F);
  const auto shifted = hn::MulAdd(x, factor, shifter);
  return hn::Sub(hn::BitCast(integers, shifted), hn::BitCast(integers, shifter));
}

/// e^x with a relative error below 2e-7; 0 below -87.3 (where the result is not a normal number),
/// and no larger than e^88.3 above.
template <class D>
HWY_INLINE hn::Vec<D> exp(D d, hn::Vec<D> x) {
  const hn::RebindToSigned<D> di;
  const auto smallest = hn::Set(d, -87.3F);
  const auto underflows = hn::Lt(x, smallest);
  x = hn::Min(hn::Max(x, smallest), hn::Set(d, 88.3F));
  // x = n ln 2 + r. Adding 1.5 * 2^23 rounds to the nearest integer and leaves it in the lowest
  // bits of the sum; with 127 on top these are the exponent of 2^n, so nothing is converted.
  const auto shifter = hn::Set(d, 12582912.0F + 127.0F);
  const auto shifted = hn::MulAdd(x, hn::Set(d, 1.44269504F), shifter);
  const auto scale = hn::BitCast(d, hn::ShiftLeft<23>(hn::BitCast(di, shifted)));
  const auto n = hn::Sub(shifted, shifter);
  // ln 2 in two parts, so that n ln 2 is exact enough
  auto r = hn::NegMulAdd(n, hn::Set(d, 0.693359375F), x);
  r = hn::NegMulAdd(n, hn::Set(d, -2.12194440e-4F), r);
  // e^r = 1 + r + r^2 p(r) on |r| <= ln 2 / 2
  constexpr float kTail[] = {0.49999994F, 0.166665211F, 0.041668389F, 0.00836871658F,
                             0.00138145976F};
  const auto p = hn::MulAdd(hn::Mul(r, r), polynomial(d, r, kTail), r);
  return hn::IfThenZeroElse(underflows, hn::MulAdd(scale, p, scale));
}

/// x P(x^2) / Q(x^2) for |x| < bound, +-1 from there on.
template <class D, std::size_t kP, std::size_t kQ>
HWY_INLINE hn::Vec<D> odd_rational(D d, hn::Vec<D> x, float bound, const float (&p)[kP],
                                   const float (&q)[kQ]) {
  const auto square = hn::Mul(x, x);
  const auto inside = hn::Div(hn::Mul(x, polynomial(d, square, p)), polynomial(d, square, q));
  const auto saturated = hn::Ge(hn::Abs(x), hn::Set(d, bound));
  return hn::IfThenElse(saturated, hn::CopySign(hn::Set(d, 1.0F), x), inside);
}

/// erf; from 3.92 on it is 1 to within half a unit in the last place.
template <class D>
HWY_INLINE hn::Vec<D> erf(D d, hn::Vec<D> x) {
  constexpr float kP[] = {1.12837911F,    0.193531945F,    0.0530997105F,
                          0.00388269802F, 0.000284537993F, 1.98671205e-06F};
  constexpr float kQ[] = {1.0F,          0.504845798F,   0.115344308F,
                          0.0152059691F, 0.00118538935F, 3.74179726e-05F};
  return odd_rational(d, x, 3.92F, kP, kQ);
}

/// tanh; from 9.02 on it is 1 to within half a unit in the last place.
template <class D>
HWY_INLINE hn::Vec<D> tanh(D d, hn::Vec<D> x) {
  constexpr float kP[] = {1.0F, 0.133809745F, 0.00349552697F, 2.06080476e-05F, 1.33532048e-08F};
  constexpr float kQ[] = {1.0F, 0.46714291F, 0.0258767512F, 0.000328553317F, 7.7759654e-07F};
  return odd_rational(d, x, 9.02F, kP, kQ);
}

template <Activation kActivation, class D>
HWY_INLINE hn::Vec<D> activation_of(D d, hn::Vec<D> x) {
  [[maybe_unused]] const auto half_x = hn::Mul(x, hn::Set(d, 0.5F));
  if constexpr (kActivation == Activation::gelu) {
    return hn::MulAdd(half_x, erf(d, hn::Mul(x, hn::Set(d, 0.70710678F))), half_x);
  } else if constexpr (kActivation == Activation::gelu_new) {
    const auto cubic = hn::MulAdd(hn::Mul(hn::Mul(x, x), hn::Set(d, 0.044715F)), x, x);
    return hn::MulAdd(half_x, tanh(d, hn::Mul(cubic, hn::Set(d, 0.79788456F))), half_x);
  } else if constexpr (kActivation == Activation::relu) {
    return hn::Max(x, hn::Zero(d));
  } else if constexpr (kActivation == Activation::silu) {
    return hn::Div(x, hn::Add(hn::Set(d, 1.0F), exp(d, hn::Neg(x))));
  } else if constexpr (kActivation == Activation::tanh) {
    return tanh(d, x);
  } else {
    return x;
  }
}

/// Calls function.template operator()<activation>(): the choice is made once, outside of loops.
template <class Function>
HWY_INLINE void with_activation(Activation activation, const Function& function) {
  switch (activation) {
    case Activation::none:
      return function.template operator()<Activation::none>();
    case Activation::gelu:
      return function.template operator()<Activation::gelu>();
    case Activation::gelu_new:
      return function.template operator()<Activation::gelu_new>();
    case Activation::relu:
      return function.template operator()<Activation::relu>();
    case Activation::silu:
      return function.template operator()<Activation::silu>();
    case Activation::tanh:
      return function.template operator()<Activation::tanh>();
  }
}

}  // namespace
#endif  // KOBOLT_SIMD_TARGET
}  // namespace kobolt::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
