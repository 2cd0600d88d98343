#include "kernel_test.h"
#include "kernels/scalar.h"

namespace kobolt::kernels {
namespace {

std::vector<int> lengths() {
  std::vector<int> result = {48, 64, 255, 256, 257, 768, 769};
  for (int n = 1; n <= 40; ++n) result.push_back(n);
  return result;
}

class LayerNormTest : public KernelTest {};
KOBOLT_FOR_EACH_INSTRUCTION_SET(LayerNormTest);

/// Rounding errors of a sum of d numbers are independent of each other, so that they grow with
/// sqrt(d), not d; four deviations are allowed. A one-pass variance would fail at mean 1000.
TEST_P(LayerNormTest, MatchesDoublePrecisionAlsoFarFromZero) {
  constexpr int kRows = 3;
  constexpr double kEpsilon = 1e-5;
  for (const float mean : {0.0F, 1000.0F}) {
    for (const int d : lengths()) {
      const std::vector<float> x = random(static_cast<std::size_t>(kRows * d), mean);
      const std::vector<float> gamma = random(static_cast<std::size_t>(d), 1.0F);
      const std::vector<float> beta = random(static_cast<std::size_t>(d));
      GuardedOutput y(kRows, d);
      layer_norm(x.data(), d, kRows, d, gamma.data(), beta.data(), kEpsilon, y.data(), y.ld());
      Worst worst;
      for (int i = 0; i < kRows; ++i) {
        const std::span<const float> row(&x[static_cast<std::size_t>(i * d)],
                                         static_cast<std::size_t>(d));
        double sum = 0.0;
        double most = 0.0;
        for (const float value : row) {
          sum += value;
          most = std::max(most, std::abs(static_cast<double>(value)));
        }
        double squares = 0.0;
        for (const float value : row) squares += (value - sum / d) * (value - sum / d);
        const double inverse = 1.0 / std::sqrt(squares / d + kEpsilon);
        const double growth = 4 * std::sqrt(d) + 4;
        for (int j = 0; j < d; ++j) {
          const double scaled = (row[j] - sum / d) * inverse * gamma[j];
          const double bound =
              growth * kRounding * (std::abs(gamma[j]) * inverse * most + std::abs(scaled)) +
              kRounding * std::abs(beta[j]);
          worst.see(y.at(i, j), scaled + beta[j], bound, i, j);
        }
      }
      ASSERT_TRUE(worst.within_bounds()) << "d " << d << ", mean " << mean;
      ASSERT_TRUE(y.guards_hold()) << d;
      GuardedOutput in_place(kRows, d);
      for (int i = 0; i < kRows; ++i) std::copy_n(&x[i * d], d, &in_place.at(i, 0));
      layer_norm(in_place.data(), in_place.ld(), kRows, d, gamma.data(), beta.data(), kEpsilon,
                 in_place.data(), in_place.ld());
      for (int i = 0; i < kRows; ++i) {
        for (int j = 0; j < d; ++j) ASSERT_EQ(in_place.at(i, j), y.at(i, j));
      }
    }
  }
}

TEST_P(LayerNormTest, ConstantRowGivesBeta) {
  const std::vector<float> x(20, 3.0F);
  const std::vector<float> ones(20, 1.0F);
  const std::vector<float> beta = random(20);
  std::vector<float> y(20);
  layer_norm(x.data(), 20, 1, 20, ones.data(), beta.data(), 1e-5F, y.data(), 20);
  EXPECT_EQ(y, beta);
}

class SoftmaxTest : public KernelTest {};
KOBOLT_FOR_EACH_INSTRUCTION_SET(SoftmaxTest);

TEST_P(SoftmaxTest, MatchesDoublePrecision) {
  constexpr int kRows = 3;
  for (const float deviation : {1.0F, 30.0F}) {
    for (const int n : lengths()) {
      GuardedOutput x(kRows, n);
      std::vector<double> expected;
      std::vector<double> bounds;
      for (int i = 0; i < kRows; ++i) {
        const std::vector<float> row = random(static_cast<std::size_t>(n), -200.0F, deviation);
        std::copy(row.begin(), row.end(), &x.at(i, 0));
        const double most = *std::max_element(row.begin(), row.end());
        double sum = 0.0;
        for (const float value : row) sum += std::exp(value - most);
        for (const float value : row) {
          const double power = std::exp(value - most) / sum;
          expected.push_back(power);
          // The exponent rounds once, exp has 2e-7, the sum and the quotient round. Powers
          // below e^-87.3 = 1.22e-38 may become 0.
          const double relative = 4e-7 + kRounding * ((most - value) + 4 * std::sqrt(n) + 4);
          bounds.push_back(power * relative + 1.22e-38);
        }
      }
      softmax(x.data(), x.ld(), kRows, n);
      Worst worst;
      for (int i = 0; i < kRows; ++i) {
        for (int j = 0; j < n; ++j) {
          worst.see(x.at(i, j), expected[i * n + j], bounds[i * n + j], i, j);
        }
      }
      ASSERT_TRUE(worst.within_bounds()) << "n " << n << ", deviation " << deviation;
      ASSERT_TRUE(x.guards_hold());
    }
  }
}

TEST_P(SoftmaxTest, MinusInfinityIsExactlyZeroAndARowOfItIsZeros) {
  for (const int n : {1, 7, 8, 9, 33}) {
    std::vector<float> x(static_cast<std::size_t>(2 * n), -kInfinity);
    x[static_cast<std::size_t>(n - 1)] = -4.0F;  // of the first row
    softmax(x.data(), n, 2, n);
    std::vector<float> expected(static_cast<std::size_t>(2 * n), 0.0F);
    expected[static_cast<std::size_t>(n - 1)] = 1.0F;
    EXPECT_EQ(x, expected) << n;
  }
}

TEST_P(SoftmaxTest, NanAndInfinityReturnAndStayInTheirRow) {
  for (const float bad : {kNan, kInfinity}) {
    GuardedOutput x(3, 21);
    for (int i = 0; i < 3; ++i) std::fill_n(&x.at(i, 0), 21, 0.5F);
    x.at(1, 20) = bad;
    softmax(x.data(), x.ld(), 3, 21);
    EXPECT_TRUE(x.guards_hold());
    for (const int i : {0, 2}) {
      for (int j = 0; j < 21; ++j) EXPECT_FLOAT_EQ(x.at(i, j), 1.0F / 21);
    }
  }
}

class LogSumExpTest : public KernelTest {};
KOBOLT_FOR_EACH_INSTRUCTION_SET(LogSumExpTest);

TEST_P(LogSumExpTest, MatchesDoublePrecision) {
  std::vector<int> counts = lengths();
  counts.push_back(30000);
  for (const int n : counts) {
    for (const float mean : {0.0F, -5000.0F, 5000.0F}) {
      const std::vector<float> x = random(static_cast<std::size_t>(n), mean, 4.0F);
      const double most = *std::max_element(x.begin(), x.end());
      double sum = 0.0;
      for (const float value : x) sum += std::exp(value - most);
      const double expected = most + std::log(sum);
      const double bound = 4e-7 + kRounding * (4 * std::sqrt(n) + 40 + 2 * std::abs(expected));
      EXPECT_NEAR(log_sum_exp(x.data(), n), expected, bound) << "n " << n << ", mean " << mean;
    }
  }
}

TEST_P(LogSumExpTest, NothingAndMinusInfinityGiveMinusInfinity) {
  EXPECT_EQ(log_sum_exp(nullptr, 0), -kInfinity);
  const std::vector<float> x(20, -kInfinity);
  EXPECT_EQ(log_sum_exp(x.data(), 20), -kInfinity);
  std::vector<float> one = x;
  one[17] = 3.0F;
  EXPECT_EQ(log_sum_exp(one.data(), 20), 3.0F);
}

class ElementwiseTest : public KernelTest {};
KOBOLT_FOR_EACH_INSTRUCTION_SET(ElementwiseTest);

TEST_P(ElementwiseTest, EveryActivationMatchesDoublePrecision) {
  std::vector<float> inputs = {0.0F, -0.0F, 1e-40F, -1e-40F, 1e-20F, 100.0F, -100.0F};
  for (int i = -100000; i <= 100000; ++i) inputs.push_back(static_cast<float>(i) * 1e-3F);
  for (int i = -30000; i <= 30000; ++i) inputs.push_back(static_cast<float>(i) * 1.7e-4F);
  for (const Activation activation : kActivations) {
    std::vector<float> x = inputs;
    activate(activation, x.data(), x.size());
    Worst worst;
    for (std::size_t i = 0; i < x.size(); ++i) {
      const double expected = exact_activation(activation, inputs[i]);
      // From about 4.2 on, four roundings are more than 1e-6.
      const double bound = std::max(1e-6, 4 * kRounding * std::abs(expected));
      worst.see(x[i], expected, bound, static_cast<std::ptrdiff_t>(i), 0);
    }
    EXPECT_TRUE(worst.within_bounds()) << name_of(activation);
  }
}

TEST_P(ElementwiseTest, ActivationsSettleFarOutside) {
  for (const float large : {1e4F, 1e19F, 1e30F}) {
    for (const Activation activation : kActivations) {
      std::vector<float> x(9, large);
      activate(activation, x.data(), x.size());
      EXPECT_EQ(x[0], activation == Activation::tanh ? 1.0F : large) << name_of(activation);
      EXPECT_EQ(x[8], x[0]) << name_of(activation);
    }
  }
}

TEST_P(ElementwiseTest, EveryCountLeavesWhatFollowsAlone) {
  for (std::size_t count = 0; count <= 40; ++count) {
    for (const Activation activation : kActivations) {
      const std::vector<float> inputs = random(count);
      std::vector<float> x = inputs;
      x.push_back(kGuard);
      activate(activation, x.data(), count);
      for (std::size_t i = 0; i < count; ++i) {
        ASSERT_NEAR(x[i], exact_activation(activation, inputs[i]), 1e-6);
      }
      ASSERT_EQ(x.back(), kGuard);
    }
    const std::vector<float> x = random(count);
    std::vector<float> y = random(count);
    std::vector<float> expected = y;
    for (std::size_t i = 0; i < count; ++i) expected[i] += x[i];
    y.push_back(kGuard);
    expected.push_back(kGuard);
    add(x.data(), y.data(), count);
    ASSERT_EQ(y, expected);
  }
}

}  // namespace
}  // namespace kobolt::kernels
