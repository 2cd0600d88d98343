#include "gradient/activation.h"

#include <cmath>
#include <numbers>

namespace kobolt {
namespace {

// x Phi(x): Phi(x) + x phi(x).
float gelu_slope(float x) {
  constexpr float kRootHalf = std::numbers::sqrt2_v<float> / 2;
  constexpr float kDensity = std::numbers::inv_sqrtpi_v<float> * kRootHalf;
  return 0.5F * (1.0F + std::erf(x * kRootHalf)) + x * kDensity * std::exp(-0.5F * x * x);
}

// x (1 + tanh(u)) / 2 with u = sqrt(2 / pi) (x + 0.044715 x^3).
float gelu_new_slope(float x) {
  constexpr float kCubic = 0.044715F;
  constexpr float kScale = std::numbers::sqrt2_v<float> * std::numbers::inv_sqrtpi_v<float>;
  const float t = std::tanh(kScale * (x + kCubic * x * x * x));
  return 0.5F * (1.0F + t) + 0.5F * x * (1.0F - t * t) * kScale * (1.0F + 3.0F * kCubic * x * x);
}

// x s(x) with s' = s (1 - s).
float silu_slope(float x) {
  const float s = 1.0F / (1.0F + std::exp(-x));
  return s * (1.0F + x * (1.0F - s));
}

float tanh_slope(float x) {
  const float t = std::tanh(x);
  return 1.0F - t * t;
}

template <typename Slope>
void multiply_by(const Slope& slope, const float* x, float* dy, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) dy[i] *= slope(x[i]);
}

}  // namespace

void activation_backward(Activation activation, const float* x, float* dy, std::size_t count) {
  switch (activation) {
    case Activation::none:
      return;
    case Activation::gelu:
      return multiply_by(gelu_slope, x, dy, count);
    case Activation::gelu_new:
      return multiply_by(gelu_new_slope, x, dy, count);
    case Activation::relu:
      return multiply_by([](float value) { return value > 0 ? 1.0F : 0.0F; }, x, dy, count);
    case Activation::silu:
      return multiply_by(silu_slope, x, dy, count);
    case Activation::tanh:
      return multiply_by(tanh_slope, x, dy, count);
  }
}

}  // namespace kobolt
