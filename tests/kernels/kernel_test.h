#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "kernels/kernels.h"

/// What the kernel tests share. Bounds on rounding errors are in units of kRounding (u = 2^-24):
/// a sum of k products in any order, fused or not, is off by at most about k u sum|a||b|.
namespace kobolt::kernels {

inline constexpr double kRounding = 0x1p-24;
inline constexpr float kInfinity = std::numeric_limits<float>::infinity();
inline constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
/// Marks memory that a kernel must leave alone.
inline constexpr float kGuard = 12345.5F;

/// Runs with each instruction set that this processor has.
class KernelTest : public testing::TestWithParam<std::string_view> {
 protected:
  void SetUp() override { force_instruction_set(GetParam()); }
  void TearDown() override { force_instruction_set(""); }

  /// count values, normally distributed; the same ones in every run.
  std::vector<float> random(std::size_t count, float mean = 0.0F, float deviation = 1.0F) {
    std::normal_distribution<float> distribution(mean, deviation);
    std::vector<float> values(count);
    for (float& value : values) value = distribution(generator_);
    return values;
  }
  int random_integer(int least, int most) {
    return std::uniform_int_distribution<int>(least, most)(generator_);
  }

 private:
  std::mt19937 generator_{20261124};
};

#define KOBOLT_FOR_EACH_INSTRUCTION_SET(suite)                              \
  INSTANTIATE_TEST_SUITE_P(InstructionSets, suite,                          \
                           testing::ValuesIn(available_instruction_sets()), \
                           [](const auto& set) { return std::string(set.param); })

/// Keeps the element that is furthest outside its bound, so that a failure shows one line and the
/// worst one, not thousands.
class Worst {
 public:
  void see(double found, double expected, double bound, std::ptrdiff_t row, std::ptrdiff_t column) {
    const double error = std::abs(found - expected);
    // !(<=) so that a NaN counts as the worst error of all.
    const double excess = !(error <= bound) ? (std::isnan(error) ? HUGE_VAL : error - bound) : 0.0;
    if (excess <= excess_) return;
    *this = {excess, found, expected, bound, row, column};
  }

  [[nodiscard]] testing::AssertionResult within_bounds() const {
    if (excess_ == 0.0) return testing::AssertionSuccess();
    return testing::AssertionFailure() << "worst at [" << row_ << ", " << column_ << "]: " << found_
                                       << ", expected " << expected_ << " +- " << bound_;
  }

  Worst() = default;

 private:
  Worst(double excess, double found, double expected, double bound, std::ptrdiff_t row,
        std::ptrdiff_t column)
      : excess_(excess),
        found_(found),
        expected_(expected),
        bound_(bound),
        row_(row),
        column_(column) {}

  double excess_ = 0.0;
  double found_ = 0.0;
  double expected_ = 0.0;
  double bound_ = 0.0;
  std::ptrdiff_t row_ = 0;
  std::ptrdiff_t column_ = 0;
};

/// An output [m, n] inside of a larger block of guards: one row above and below, `kMargin` columns
/// right.
class GuardedOutput {
 public:
  GuardedOutput(int m, int n)
      : m_(m), n_(n), values_(static_cast<std::size_t>(m + 2) * (n + kMargin), kGuard) {}

  [[nodiscard]] std::ptrdiff_t ld() const { return n_ + kMargin; }
  float* data() { return values_.data() + ld(); }
  float& at(int row, int column) { return data()[row * ld() + column]; }

  /// True if nothing outside of columns [begin, end) of the m rows has changed.
  [[nodiscard]] bool guards_hold(int begin, int end) const {
    for (int row = -1; row <= m_; ++row) {
      for (int column = 0; column < ld(); ++column) {
        const bool inside = row >= 0 && row < m_ && column >= begin && column < end;
        if (!inside && values_[static_cast<std::size_t>((row + 1) * ld() + column)] != kGuard) {
          return false;
        }
      }
    }
    return true;
  }
  [[nodiscard]] bool guards_hold() const { return guards_hold(0, n_); }

 private:
  static constexpr int kMargin = 3;
  int m_;
  int n_;
  std::vector<float> values_;
};

/// An activation in double precision.
inline double exact_activation(Activation activation, double x) {
  switch (activation) {
    case Activation::none:
      return x;
    case Activation::gelu:
      return 0.5 * x * std::erfc(-x * std::sqrt(0.5));
    case Activation::gelu_new:
      return 0.5 * x * (1.0 + std::tanh(std::sqrt(2.0 / M_PI) * (x + 0.044715 * x * x * x)));
    case Activation::relu:
      return std::max(x, 0.0);
    case Activation::silu:
      return x / (1.0 + std::exp(-x));
    case Activation::tanh:
      return std::tanh(x);
  }
  return x;
}

inline constexpr Activation kActivations[] = {Activation::none,     Activation::gelu,
                                              Activation::gelu_new, Activation::relu,
                                              Activation::silu,     Activation::tanh};

}  // namespace kobolt::kernels
