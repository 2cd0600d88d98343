#include "kobolt/gate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "kobolt/error.h"

namespace kobolt {
namespace {

using ::testing::HasSubstr;

struct System {
  std::vector<std::string> summaries;
  std::vector<RougeScore> scores;
  [[nodiscard]] ScoredSummaries view() const { return {summaries, scores}; }
};

// Documents whose three scores are `base` of one to three parts and whose texts have `length`
// characters of two bytes each.
System make(const std::vector<double>& base, std::size_t length) {
  System system;
  for (const double score : base) {
    std::string text;
    for (std::size_t i = 0; i < length; ++i) text += "é";
    system.summaries.push_back(text);
    system.scores.push_back(
        {.rouge1 = {.f = score}, .rouge2 = {.f = score / 2}, .rougeL = {.f = score / 3}});
  }
  return system;
}

TEST(GateTest, EqualSystemsPassAtOneHundredPercent) {
  const System system = make({0.3, 0.5, 0.1}, 20);
  const GateReport report = check_gate(system.view(), system.view(), {.keep = 1});
  EXPECT_TRUE(report.passed);
  for (const GateMeasure& measure : report.measures) {
    EXPECT_EQ(measure.kept, 1) << measure.name;
    EXPECT_EQ(measure.difference_low, 0) << measure.name;
    EXPECT_EQ(measure.difference_high, 0) << measure.name;
  }
}

TEST(GateTest, EachMeasureIsHeldToItsShare) {
  const System baseline = make({0.4, 0.6}, 20);
  System candidate = make({0.4, 0.6}, 20);
  candidate.scores[0].rouge2.f = 0.19;  // the mean falls from 0.25 to 0.245: 98 %
  const GateReport strict = check_gate(baseline.view(), candidate.view(), {.keep = 0.99});
  EXPECT_FALSE(strict.passed);
  EXPECT_TRUE(strict.measures[0].passed);
  EXPECT_FALSE(strict.measures[1].passed);
  EXPECT_NEAR(strict.measures[1].kept, 0.98, 1e-12);
  EXPECT_NEAR(strict.measures[1].difference, -0.005, 1e-12);
  EXPECT_TRUE(strict.measures[2].passed);
  EXPECT_TRUE(check_gate(baseline.view(), candidate.view(), {.keep = 0.97}).passed);
}

TEST(GateTest, ShortSummariesFailHoweverWellTheyScore) {
  const System baseline = make({0.4, 0.6}, 20);
  const System shorter = make({0.5, 0.7}, 17);
  const GateReport report = check_gate(baseline.view(), shorter.view());
  EXPECT_FALSE(report.passed);
  EXPECT_EQ(report.measures[3].name, "length");
  EXPECT_EQ(report.measures[3].candidate, 17);  // characters, not bytes
  EXPECT_NEAR(report.measures[3].kept, 0.85, 1e-12);
  EXPECT_TRUE(check_gate(baseline.view(), make({0.5, 0.7}, 18).view()).passed);
}

// Scores differ much between documents and by 0.01 within each: pairs see that, and two separate
// intervals could not.
TEST(GateTest, TheIntervalIsOfPairedDifferences) {
  std::vector<double> scores;
  std::vector<double> better;
  for (int i = 0; i < 50; ++i) {
    scores.push_back(0.01 * i);
    better.push_back(0.01 * i + 0.01);
  }
  const System baseline = make(scores, 10);
  const GateReport report = check_gate(baseline.view(), make(better, 10).view());
  EXPECT_NEAR(report.measures[0].difference_low, 0.01, 1e-9);
  EXPECT_NEAR(report.measures[0].difference_high, 0.01, 1e-9);
}

std::string gate_error(const System& baseline, const System& candidate,
                       const GateOptions& options) {
  try {
    (void)check_gate(baseline.view(), candidate.view(), options);
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

TEST(GateTest, NothingToKeepIsAnError) {
  const System zero = make({0, 0}, 10);
  EXPECT_THAT(gate_error(zero, make({0.1, 0.2}, 10), {}), HasSubstr("scores 0 on every document"));
  EXPECT_THAT(gate_error(make({0.1}, 3), make({0.1, 0.1}, 3), {}), HasSubstr("same documents"));
  EXPECT_THAT(gate_error(make({}, 3), make({}, 3), {}), HasSubstr("same documents"));
  EXPECT_THAT(gate_error(make({0.1}, 3), make({0.1}, 3), {.keep = 0}), HasSubstr("keep"));
}

}  // namespace
}  // namespace kobolt
