#include <gtest/gtest.h>

#include <vector>

#include "kobolt/benchmark.h"

namespace kobolt {
namespace {

// Values of numpy.percentile and numpy.std(ddof=1) for 1..5 and 20.
TEST(TimeSummaryTest, AgreesWithNumpy) {
  const TimeSummary summary = summarize_times({5, 1, 20, 3, 2, 4});
  EXPECT_EQ(summary.count, 6U);
  EXPECT_DOUBLE_EQ(summary.average, 35.0 / 6);
  EXPECT_NEAR(summary.deviation, 7.082843, 1e-6);
  EXPECT_DOUBLE_EQ(summary.p50, 3.5);
  EXPECT_DOUBLE_EQ(summary.p90, 12.5);
  EXPECT_DOUBLE_EQ(summary.p95, 16.25);
  EXPECT_DOUBLE_EQ(summary.p99, 19.25);
  EXPECT_EQ(summary.min, 1);
  EXPECT_EQ(summary.max, 20);
}

TEST(TimeSummaryTest, OneTimeAndNone) {
  const TimeSummary one = summarize_times({2});
  EXPECT_EQ(one.deviation, 0);
  EXPECT_EQ(one.p99, 2);
  EXPECT_EQ(summarize_times({}).count, 0U);
}

}  // namespace
}  // namespace kobolt
