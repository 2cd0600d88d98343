#include "benchmark/ratio_interval.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <random>
#include <vector>

namespace kobolt {
namespace {

// scipy.stats.wilcoxon's exact distribution: P(T <= 3) = 5 / 128 for 7 pairs, so 3 averages may be
// left out at each end for a confidence of 1 - 2 * 5 / 128 and no more for 90 %.
TEST(RatioIntervalTest, LeavesOutWhatTheExactDistributionPermits) {
  std::vector<double> numerator;
  const std::vector<double> ones(7, 1.0);
  for (int i = 0; i < 7; ++i) numerator.push_back(std::exp(i));  // logarithms 0..6
  const RatioInterval interval = ratio_interval(numerator, ones, 0.90);
  EXPECT_DOUBLE_EQ(interval.confidence, 1 - 10.0 / 128);
  // The averages in order: 0, 0.5, 1, 1, 1.5, ...; the fourth is the bound. Symmetric around 3.
  EXPECT_NEAR(std::log(interval.low), 1, 1e-12);
  EXPECT_NEAR(std::log(interval.ratio), 3, 1e-12);
  EXPECT_NEAR(std::log(interval.high), 5, 1e-12);
}

TEST(RatioIntervalTest, TooFewRoundsSayWhatTheyAreWorth) {
  const std::vector<double> numerator{2, 4, 8};
  const std::vector<double> ones(3, 1.0);
  const RatioInterval interval = ratio_interval(numerator, ones, 0.99);
  EXPECT_DOUBLE_EQ(interval.confidence, 0.75);
  EXPECT_DOUBLE_EQ(interval.low, 2);
  EXPECT_DOUBLE_EQ(interval.high, 8);
  EXPECT_EQ(least_rounds(0.75), 3);
  EXPECT_EQ(least_rounds(0.95), 6);
  EXPECT_EQ(least_rounds(0.99), 8);
}

TEST(RatioIntervalTest, OneDisturbedRoundMovesLittle) {
  std::vector<double> numerator(20, 2.0);
  const std::vector<double> ones(20, 1.0);
  numerator[7] = 100;
  const RatioInterval interval = ratio_interval(numerator, ones, 0.95);
  EXPECT_DOUBLE_EQ(interval.ratio, 2);
  EXPECT_DOUBLE_EQ(interval.high, 2);
}

// How many of 4000 intervals for a true ratio hold it. A round gets its noise from `noise`, twice.
double coverage(double truth, double confidence, int rounds,
                const std::function<double(std::mt19937_64&)>& noise) {
  constexpr int kTrials = 4000;
  std::mt19937_64 random(5);
  int held = 0;
  for (int trial = 0; trial < kTrials; ++trial) {
    std::vector<double> a;
    std::vector<double> b;
    for (int i = 0; i < rounds; ++i) {
      a.push_back(truth * std::exp(noise(random)));
      b.push_back(std::exp(noise(random)));
    }
    const RatioInterval interval = ratio_interval(a, b, confidence);
    if (interval.low <= truth && truth <= interval.high) ++held;
  }
  return static_cast<double>(held) / kTrials;
}

// Three standard errors of a proportion over 4000 trials.
double slack(double confidence) { return 3 * std::sqrt(confidence * (1 - confidence) / 4000); }

TEST(RatioIntervalTest, CoversTheTruthAsOftenAsItSays) {
  const auto normal = [](std::mt19937_64& random) {
    return std::normal_distribution<double>(0, 0.05)(random);
  };
  // Mostly quiet, one turn in ten up to twice as long: what a busy machine does.
  const auto disturbed = [&normal](std::mt19937_64& random) {
    return normal(random) + (random() % 10 == 0 ? 1e-3 * static_cast<double>(random() % 700) : 0.0);
  };
  for (const double confidence : {0.95, 0.99}) {
    for (const int rounds : {8, 20}) {
      for (const double truth : {1.0, 1.3}) {
        SCOPED_TRACE(testing::Message() << confidence << ' ' << rounds << ' ' << truth);
        EXPECT_GE(coverage(truth, confidence, rounds, normal), confidence - slack(confidence));
        EXPECT_GE(coverage(truth, confidence, rounds, disturbed), confidence - slack(confidence));
      }
    }
  }
}

}  // namespace
}  // namespace kobolt
