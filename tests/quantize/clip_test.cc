#include "quantize/clip.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>

#include "quantize/distributions.h"
#include "quantize/int8.h"

// Against tests/golden/make_calibration.py, and against the definitions.
namespace kobolt {
namespace {

ActivationHistogram histogram_of(std::span<const float> values) {
  ActivationHistogram histogram;
  EXPECT_TRUE(histogram.add(values));
  return histogram;
}

nlohmann::json golden_clips() {
  return nlohmann::json::parse(
      std::ifstream(std::filesystem::path(KOBOLT_TEST_DATA) / "quantize" / "clips.json"));
}

TEST(Clip, IsWhatNumPyFinds) {
  const nlohmann::json golden = golden_clips();
  ASSERT_GE(golden.size(), 9U);
  for (const nlohmann::json& one : golden) {
    const auto name = one.at("name").get<std::string>();
    const ActivationHistogram histogram = histogram_of(distribution(name));
    for (const auto& [method, winners] : one.at("clips").items()) {
      const std::size_t space = method.find(' ');
      const double percentile =
          space == std::string::npos ? 0 : std::stod(method.substr(space + 1));
      const float clip =
          clip_of(histogram, calibration_method_from_name(method.substr(0, space)), percentile);
      const bool wins = std::ranges::any_of(
          winners, [&](const nlohmann::json& winner) { return winner.get<float>() == clip; });
      EXPECT_TRUE(wins) << name << ", " << method << ": " << clip << " is not in " << winners;
    }
  }
}

TEST(Clip, OfNothingButZerosIsOne) {
  const std::vector<float> zeros(10);
  for (const char* method : {"minmax", "entropy", "percentile", "mse"}) {
    EXPECT_EQ(clip_of(histogram_of(zeros), calibration_method_from_name(method), 99), 1.0F);
    EXPECT_EQ(clip_of(ActivationHistogram(), calibration_method_from_name(method), 99), 1.0F);
  }
}

TEST(Clip, NeverMakesStepsTooSmallToDivideBy) {
  const std::vector<float> values{1e-44F, -3e-44F};
  for (const char* method : {"minmax", "entropy", "percentile", "mse"}) {
    EXPECT_EQ(clip_of(histogram_of(values), calibration_method_from_name(method), 99),
              kSmallestClip);
  }
}

// The histogram knows magnitudes up to half a bin: no method beats mse by more than that explains.
TEST(Clip, OfMseHasTheSmallestError) {
  for (const char* name : {"uniform", "heavy tail", "cubic", "one side", "outliers"}) {
    const std::vector<float> values = distribution(name);
    const ActivationHistogram histogram = histogram_of(values);
    const auto error = [&](CalibrationMethod method) {
      std::vector<float> rounded = values;
      round_to_int8(rounded, clip_of(histogram, method, 99.9));
      double sum = 0;
      for (std::size_t i = 0; i < values.size(); ++i) {
        const double lost = static_cast<double>(values[i]) - static_cast<double>(rounded[i]);
        sum += lost * lost;
      }
      return sum;
    };
    const double least = error(CalibrationMethod::mse);
    for (const auto method :
         {CalibrationMethod::minmax, CalibrationMethod::entropy, CalibrationMethod::percentile}) {
      EXPECT_LE(least, error(method) * 1.02) << name << ", " << name_of(method);
    }
  }
}

TEST(Int8, RoundsHalvesToEvenAndKeepsMinus127) {
  std::vector<float> values{0.5F, 1.5F, -2.5F, 126.6F, -500.0F, 0.0F};
  round_to_int8(values, 127);
  EXPECT_EQ(values, (std::vector<float>{0, 2, -2, 127, -127, 0}));
  std::vector<float> zeros(3);
  round_to_int8(zeros, 0);
  EXPECT_EQ(zeros, std::vector<float>(3));
}

TEST(Int8, TellsDecibels) {
  EXPECT_DOUBLE_EQ(decibels(100, 1), 20);
  EXPECT_EQ(decibels(0, 0), std::numeric_limits<double>::infinity());
}

}  // namespace
}  // namespace kobolt
