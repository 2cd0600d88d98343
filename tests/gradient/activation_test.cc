#include "gradient/activation.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>
#include <vector>

// Slopes against differences of the functions in double precision.
namespace kobolt {
namespace {

double value_of(Activation activation, double x) {
  switch (activation) {
    case Activation::none:
      return x;
    case Activation::gelu:
      return x * 0.5 * (1 + std::erf(x / std::numbers::sqrt2));
    case Activation::gelu_new:
      return 0.5 * x *
             (1 + std::tanh(std::sqrt(2 / std::numbers::pi) * (x + 0.044715 * x * x * x)));
    case Activation::relu:
      return std::max(x, 0.0);
    case Activation::silu:
      return x / (1 + std::exp(-x));
    case Activation::tanh:
      return std::tanh(x);
  }
  return 0;
}

TEST(ActivationBackward, IsTheSlope) {
  for (const Activation activation : {Activation::none, Activation::gelu, Activation::gelu_new,
                                      Activation::relu, Activation::silu, Activation::tanh}) {
    std::vector<float> x;
    for (int i = -230; i < 230; ++i) x.push_back((static_cast<float>(i) + 0.5F) * 0.13F);
    std::vector<float> dy(x.size(), 2.0F);
    activation_backward(activation, x.data(), dy.data(), x.size());
    for (std::size_t i = 0; i < x.size(); ++i) {
      constexpr double kStep = 1e-5;
      const double slope =
          (value_of(activation, x[i] + kStep) - value_of(activation, x[i] - kStep)) / (2 * kStep);
      EXPECT_NEAR(dy[i], 2 * slope, 2e-6) << name_of(activation) << " at " << x[i];
    }
  }
}

TEST(ActivationBackward, OfReluIsZeroAtZero) {
  const float x = 0;
  float dy = 1;
  activation_backward(Activation::relu, &x, &dy, 1);
  EXPECT_EQ(dy, 0);
}

}  // namespace
}  // namespace kobolt
