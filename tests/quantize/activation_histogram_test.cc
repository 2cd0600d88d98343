#include "quantize/activation_histogram.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>
#include <random>
#include <vector>

#include "quantize/distributions.h"

namespace kobolt {
namespace {

std::vector<std::uint64_t> counts_of(const ActivationHistogram& histogram) {
  return {histogram.counts().begin(), histogram.counts().end()};
}

TEST(ActivationHistogram, CountsAsNumPyDoes) {
  const nlohmann::json golden = nlohmann::json::parse(
      std::ifstream(std::filesystem::path(KOBOLT_TEST_DATA) / "quantize" / "clips.json"));
  for (const nlohmann::json& one : golden) {
    const auto name = one.at("name").get<std::string>();
    ActivationHistogram histogram;
    ASSERT_TRUE(histogram.add(distribution(name)));
    EXPECT_EQ(histogram.width(), one.at("width").get<double>()) << name;
    EXPECT_EQ(histogram.counts().size(), one.at("bins").get<std::size_t>()) << name;
    std::uint64_t weighted = 0;
    for (std::size_t i = 0; i < histogram.counts().size(); ++i) {
      weighted += histogram.counts()[i] * (i + 1);
    }
    EXPECT_EQ(weighted, one.at("weighted_counts").get<std::uint64_t>()) << name;
  }
}

TEST(ActivationHistogram, DependsOnTheNumbersAndNotOnTheirOrder) {
  std::vector<float> values = distribution("heavy tail");
  values.insert(values.end(), {0.0F, 1e-30F, 3e20F, -7.0F});
  ActivationHistogram whole;
  ASSERT_TRUE(whole.add(values));
  std::mt19937 random(3);
  for (int round = 0; round < 4; ++round) {
    std::ranges::shuffle(values, random);
    ActivationHistogram pieces;
    for (std::size_t at = 0; at < values.size(); at += 7) {
      ASSERT_TRUE(
          pieces.add(std::span(values).subspan(at, std::min<std::size_t>(7, values.size() - at))));
    }
    EXPECT_EQ(counts_of(pieces), counts_of(whole));
    EXPECT_EQ(pieces.width(), whole.width());
    EXPECT_EQ(pieces.min(), whole.min());
    EXPECT_EQ(pieces.max(), 3e20F);
    EXPECT_EQ(pieces.total(), values.size());
  }
}

TEST(ActivationHistogram, KeepsHalfOfTheBinsBelowTheLargest) {
  for (const float top : {1.0F, 0.9999999F, 1.5F, 2.0F, 1e-44F, 3e38F}) {
    ActivationHistogram histogram;
    ASSERT_TRUE(histogram.add({&top, 1}));
    EXPECT_GE(histogram.counts().size(), 1025U) << top;
    EXPECT_LE(histogram.counts().size(), 2048U) << top;
    EXPECT_EQ(histogram.counts().back(), 1U) << top;
  }
}

TEST(ActivationHistogram, RefusesWhatIsNotFinite) {
  ActivationHistogram histogram;
  for (const float bad :
       {std::numeric_limits<float>::infinity(), -std::numeric_limits<float>::infinity(),
        std::numeric_limits<float>::quiet_NaN()}) {
    const std::vector<float> values{1.0F, bad, 2.0F};
    EXPECT_FALSE(histogram.add(values));
  }
  EXPECT_EQ(histogram.total(), 0U);
}

}  // namespace
}  // namespace kobolt
