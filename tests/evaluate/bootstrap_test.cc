#include "evaluate/bootstrap.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <vector>

namespace kobolt {
namespace {

TEST(BootstrapTest, IntervalOfOneRowIsItsValue) {
  const std::vector<double> values{0.25, 0.75};
  const auto result = bootstrap_means(values, 2, {});
  ASSERT_EQ(result.size(), 2U);
  EXPECT_EQ(result[0].low, 0.25);
  EXPECT_EQ(result[0].mean, 0.25);
  EXPECT_EQ(result[0].high, 0.25);
  EXPECT_EQ(result[1].low, 0.75);
}

TEST(BootstrapTest, WithoutSamplesBoundsAreTheMean) {
  const std::vector<double> values{0, 1, 1, 1};
  const auto result = bootstrap_means(values, 1, {.samples = 0});
  EXPECT_EQ(result[0].low, 0.75);
  EXPECT_EQ(result[0].mean, 0.75);
  EXPECT_EQ(result[0].high, 0.75);
}

// The mean of n values with standard deviation s varies by s / sqrt(n): the interval must have the
// width that the normal distribution gives for it.
TEST(BootstrapTest, WidthAgreesWithTheNormalApproximation) {
  std::mt19937_64 random(1);
  std::vector<double> values;
  for (int i = 0; i < 900; ++i) values.push_back(static_cast<double>(random() % 1000) / 1000.0);
  double mean = 0;
  double square = 0;
  for (const double v : values) mean += v / 900;
  for (const double v : values) square += (v - mean) * (v - mean) / 900;
  const double error = std::sqrt(square / 900);
  const auto result = bootstrap_means(values, 1, {.samples = 4000, .confidence = 0.95, .seed = 3});
  EXPECT_NEAR(result[0].mean, mean, 1e-12);
  EXPECT_NEAR(result[0].low, mean - 1.96 * error, 0.1 * error);
  EXPECT_NEAR(result[0].high, mean + 1.96 * error, 0.1 * error);
  const auto narrow = bootstrap_means(values, 1, {.samples = 4000, .confidence = 0.5, .seed = 3});
  EXPECT_NEAR(narrow[0].high, mean + 0.674 * error, 0.1 * error);
}

TEST(BootstrapTest, TheSeedDecides) {
  std::vector<double> values;
  for (int i = 0; i < 50; ++i) values.push_back(i * i % 17);
  const auto first = bootstrap_means(values, 1, {.samples = 100, .seed = 5});
  const auto again = bootstrap_means(values, 1, {.samples = 100, .seed = 5});
  const auto other = bootstrap_means(values, 1, {.samples = 100, .seed = 6});
  EXPECT_EQ(first[0].low, again[0].low);
  EXPECT_EQ(first[0].high, again[0].high);
  EXPECT_TRUE(first[0].low != other[0].low || first[0].high != other[0].high);
}

// One sample of two rows by hand: the documented draw, then percentiles of a single value.
TEST(BootstrapTest, DrawsRowsAsDocumented) {
  std::mt19937_64 random(9);
  const std::vector<double> values{1, 2, 4, 8, 16};
  double sum = 0;
  for (int i = 0; i < 5; ++i) {
    const auto row = static_cast<std::size_t>(std::ldexp(static_cast<double>(random()), -64) * 5);
    sum += values[row];
  }
  const auto result = bootstrap_means(values, 1, {.samples = 1, .seed = 9});
  EXPECT_EQ(result[0].low, sum / 5);
  EXPECT_EQ(result[0].high, sum / 5);
}

}  // namespace
}  // namespace kobolt
