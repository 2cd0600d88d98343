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

/// Vectors that go through a function together. Each step of it waits for the one before, and for
/// one vector alone leaves units idle. An implicit constructor, or std::array's, would not be
/// compiled for this instruction set.
template <class D, std::size_t kCount>
struct Several {
  hn::Vec<D> vectors[kCount];

  HWY_INLINE Several() {}  // NOLINT(modernize-use-equals-default)
  HWY_INLINE explicit Several(hn::Vec<D> only) requires(kCount == 1) { vectors[0] = only; }
  HWY_INLINE hn::Vec<D>& operator[](std::size_t i) { return vectors[i]; }
  HWY_INLINE const hn::Vec<D>& operator[](std::size_t i) const { return vectors[i]; }
};
/// How many are worth it: AVX2 has half of the registers.
constexpr int kTogether = HWY_TARGET == HWY_AVX3 ? 4 : 2;

/// sum = c[0] + c[1] x + ... by Horner's rule.
template <class D, std::size_t kCount, std::size_t kTerms>
HWY_INLINE void polynomial(D d, const Several<D, kCount>& x, const float (&coefficients)[kTerms],
                           Several<D, kCount>& sum) {
#pragma GCC unroll 4
  for (std::size_t c = 0; c < kCount; ++c) sum[c] = hn::Set(d, coefficients[kTerms - 1]);
#pragma GCC unroll 8
  for (std::size_t i = kTerms - 1; i > 0; --i) {
#pragma GCC unroll 4
    for (std::size_t c = 0; c < kCount; ++c) {
      sum[c] = hn::MulAdd(sum[c], x[c], hn::Set(d, coefficients[i - 1]));
    }
  }
}

template <class D, std::size_t kTerms>
HWY_INLINE hn::Vec<D> polynomial(D d, hn::Vec<D> x, const float (&coefficients)[kTerms]) {
  Several<D, 1> sum;
  polynomial(d, Several<D, 1>(x), coefficients, sum);
  return sum[0];
}

/// 1.5 * 2^23: adding it rounds to an integer, and leaves that in the lowest bits, which are its
/// own zeros.
constexpr float kRoundingShift = 12582912.0F;

/// round_product() of each lane. A conversion would also have to care for what fits no integer.
template <class D>
HWY_INLINE hn::Vec<hn::RebindToSigned<D>> rounded_product(D d, hn::Vec<D> x, hn::Vec<D> factor) {
  const hn::RebindToSigned<D> integers;
  const auto shifter = hn::Set(d, kRoundingShift);
  const auto shifted = hn::MulAdd(x, factor, shifter);
  return hn::Sub(hn::BitCast(integers, shifted), hn::BitCast(integers, shifter));
}

/// Below it e^x is not a normal number.
constexpr float kLeastExponent = -87.3F;

/// x = e^x with a relative error below 2e-7, for x from kLeastExponent to 88.3.
template <class D, std::size_t kCount>
HWY_INLINE void exp_within(D d, Several<D, kCount>& x) {
  const hn::RebindToSigned<D> di;
  // x = n ln 2 + r. Adding the shift rounds to the nearest integer and leaves it in the lowest bits
  // of the sum; with 127 on top these are the exponent of 2^n, so nothing is converted.
  const auto shifter = hn::Set(d, kRoundingShift + 127.0F);
  Several<D, kCount> scale;
  Several<D, kCount> r;
#pragma GCC unroll 4
  for (std::size_t c = 0; c < kCount; ++c) {
    const auto shifted = hn::MulAdd(x[c], hn::Set(d, 1.44269504F), shifter);
    scale[c] = hn::BitCast(d, hn::ShiftLeft<23>(hn::BitCast(di, shifted)));
    const auto n = hn::Sub(shifted, shifter);
    // ln 2 in two parts, so that n ln 2 is exact enough
    r[c] = hn::NegMulAdd(n, hn::Set(d, 0.693359375F), x[c]);
    r[c] = hn::NegMulAdd(n, hn::Set(d, -2.12194440e-4F), r[c]);
  }
  // e^r = 1 + r + r^2 p(r) on |r| <= ln 2 / 2
  constexpr float kTail[] = {0.49999994F, 0.166665211F, 0.041668389F, 0.00836871658F,
                             0.00138145976F};
  Several<D, kCount> p;
  polynomial(d, r, kTail, p);
#pragma GCC unroll 4
  for (std::size_t c = 0; c < kCount; ++c) {
    const auto less_one = hn::MulAdd(hn::Mul(r[c], r[c]), p[c], r[c]);
    x[c] = hn::MulAdd(scale[c], less_one, scale[c]);
  }
}

/// Below it 2^x times a value of 1, less what rounds, may not be a normal number.
constexpr float kLeastPower = -125.0F;

/// x = 2^x with a relative error below 2e-7, for x from kLeastPower to 127. What brings a logit to
/// a power of two costs no more than what brings it to one of e, and nothing is left to multiply
/// with here but the terms of the polynomial.
template <class D, std::size_t kCount>
HWY_INLINE void exp2_within(D d, Several<D, kCount>& x) {
  const hn::RebindToSigned<D> di;
  const auto shifter = hn::Set(d, kRoundingShift);
  Several<D, kCount> r;
  hn::Vec<decltype(di)> n[kCount];
#pragma GCC unroll 4
  for (std::size_t c = 0; c < kCount; ++c) {
    const auto shifted = hn::Add(x[c], shifter);
    n[c] = hn::ShiftLeft<23>(hn::BitCast(di, shifted));  // to be added to an exponent
    r[c] = hn::Sub(x[c], hn::Sub(shifted, shifter));
  }
  // 2^r on |r| <= 1/2
  constexpr float kTerms[] = {1.0F,          0.693147004F,   0.240222424F,
                              0.0555073358F, 0.00967151299F, 0.00132647273F};
  polynomial(d, r, kTerms, x);
#pragma GCC unroll 4
  for (std::size_t c = 0; c < kCount; ++c) {
    x[c] = hn::BitCast(d, hn::Add(hn::BitCast(di, x[c]), n[c]));
  }
}

/// e^x for all x: 0 below kLeastExponent, no larger than e^88.3 above.
template <class D>
HWY_INLINE hn::Vec<D> exp(D d, hn::Vec<D> x) {
  const auto smallest = hn::Set(d, kLeastExponent);
  Several<D, 1> power(hn::Min(hn::Max(x, smallest), hn::Set(d, 88.3F)));
  exp_within(d, power);
  return hn::IfThenZeroElse(hn::Lt(x, smallest), power[0]);
}

/// x = x P(x^2) / Q(x^2) for |x| < bound, +-1 from there on.
template <class D, std::size_t kCount, std::size_t kP, std::size_t kQ>
HWY_INLINE void odd_rational(D d, Several<D, kCount>& x, float bound, const float (&p)[kP],
                             const float (&q)[kQ]) {
  Several<D, kCount> square;
  Several<D, kCount> above;
  Several<D, kCount> below;
#pragma GCC unroll 4
  for (std::size_t c = 0; c < kCount; ++c) square[c] = hn::Mul(x[c], x[c]);
  polynomial(d, square, q, below);
  polynomial(d, square, p, above);
#pragma GCC unroll 4
  for (std::size_t c = 0; c < kCount; ++c) {
    const auto inside = hn::Div(hn::Mul(x[c], above[c]), below[c]);
    const auto saturated = hn::Ge(hn::Abs(x[c]), hn::Set(d, bound));
    x[c] = hn::IfThenElse(saturated, hn::CopySign(hn::Set(d, 1.0F), x[c]), inside);
  }
}

/// x = erf(x); from 3.92 on it is 1 to within half a unit in the last place.
template <class D, std::size_t kCount>
HWY_INLINE void erf(D d, Several<D, kCount>& x) {
  constexpr float kP[] = {1.12837911F,    0.193531945F,    0.0530997105F,
                          0.00388269802F, 0.000284537993F, 1.98671205e-06F};
  constexpr float kQ[] = {1.0F,          0.504845798F,   0.115344308F,
                          0.0152059691F, 0.00118538935F, 3.74179726e-05F};
  odd_rational(d, x, 3.92F, kP, kQ);
}

/// x = tanh(x); from 9.02 on it is 1 to within half a unit in the last place.
template <class D, std::size_t kCount>
HWY_INLINE void tanh(D d, Several<D, kCount>& x) {
  constexpr float kP[] = {1.0F, 0.133809745F, 0.00349552697F, 2.06080476e-05F, 1.33532048e-08F};
  constexpr float kQ[] = {1.0F, 0.46714291F, 0.0258767512F, 0.000328553317F, 7.7759654e-07F};
  odd_rational(d, x, 9.02F, kP, kQ);
}

/// x = gelu(x) within 1.7e-4, for half of the instructions: erf(x / sqrt(2)) as x P(x^2), which is
/// exactly 1 at the bound and beyond.
template <class D, std::size_t kCount>
HWY_INLINE void coarse_gelu(D d, Several<D, kCount>& x) {
  constexpr float kBound = 3.95F;
  constexpr float kTerms[] = {0.795973301F,    -0.129445493F,    0.0176858343F,  -0.00165807852F,
                              9.91038614e-05F, -3.36230391e-06F, 4.88715344e-08F};
  Several<D, kCount> within;
  Several<D, kCount> square;
  Several<D, kCount> sum;
#pragma GCC unroll 4
  for (std::size_t c = 0; c < kCount; ++c) {
    within[c] = hn::Max(hn::Min(x[c], hn::Set(d, kBound)), hn::Set(d, -kBound));
    square[c] = hn::Mul(within[c], within[c]);
  }
  polynomial(d, square, kTerms, sum);
#pragma GCC unroll 4
  for (std::size_t c = 0; c < kCount; ++c) {
    const auto half = hn::Mul(x[c], hn::Set(d, 0.5F));
    x[c] = hn::MulAdd(half, hn::Mul(within[c], sum[c]), half);
  }
}

/// How close activations are. Those of 8 bits, which come from bytes and become bytes again, are
/// off by far more than what coarse ones add.
enum class Closeness { exact, coarse };

/// x = activation(x).
template <Activation kActivation, Closeness kCloseness, class D, std::size_t kCount>
HWY_INLINE void activate_each(D d, Several<D, kCount>& x) {
  if constexpr (kActivation == Activation::gelu && kCloseness == Closeness::coarse) {
    coarse_gelu(d, x);
  } else if constexpr (kActivation == Activation::gelu || kActivation == Activation::gelu_new) {
    Several<D, kCount> half;
#pragma GCC unroll 4
    for (std::size_t c = 0; c < kCount; ++c) {
      half[c] = hn::Mul(x[c], hn::Set(d, 0.5F));
      if constexpr (kActivation == Activation::gelu) {
        x[c] = hn::Mul(x[c], hn::Set(d, 0.70710678F));
      } else {
        const auto square = hn::Mul(x[c], x[c]);
        const auto cubic = hn::MulAdd(hn::Mul(square, hn::Set(d, 0.044715F)), x[c], x[c]);
        x[c] = hn::Mul(cubic, hn::Set(d, 0.79788456F));
      }
    }
    if constexpr (kActivation == Activation::gelu) {
      erf(d, x);
    } else {
      tanh(d, x);
    }
#pragma GCC unroll 4
    for (std::size_t c = 0; c < kCount; ++c) x[c] = hn::MulAdd(half[c], x[c], half[c]);
  } else if constexpr (kActivation == Activation::tanh) {
    tanh(d, x);
  } else {
#pragma GCC unroll 4
    for (std::size_t c = 0; c < kCount; ++c) {
      if constexpr (kActivation == Activation::relu) {
        x[c] = hn::Max(x[c], hn::Zero(d));
      } else if constexpr (kActivation == Activation::silu) {
        x[c] = hn::Div(x[c], hn::Add(hn::Set(d, 1.0F), exp(d, hn::Neg(x[c]))));
      }
    }
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
