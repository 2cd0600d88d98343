#include "report/line_chart.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

namespace kobolt {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(AxisTicks, AreRoundAndCoverTheRange) {
  const auto near = [](const std::vector<double>& found, const std::vector<double>& expected) {
    ASSERT_EQ(found.size(), expected.size());
    for (std::size_t i = 0; i < found.size(); ++i) EXPECT_NEAR(found[i], expected[i], 1e-9);
  };
  near(axis_ticks(0, 0.6, 7), {0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6});
  near(axis_ticks(0, 0.31, 7), {0, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35});
  near(axis_ticks(1, 1, 2), {1, 1.5, 2});
  near(axis_ticks(-3, 12, 4), {-5, 0, 5, 10, 15});
  for (const auto& [low, high] : {std::pair(0.97, 1.43), {8.1e6, 8.2e6}, {0.0, 1e-9}}) {
    const std::vector<double> ticks = axis_ticks(low, high, 7);
    EXPECT_LE(ticks.front(), low);
    EXPECT_GE(ticks.back(), high * (1 - 1e-6));
    EXPECT_GE(ticks.size(), 4U);
    EXPECT_LE(ticks.size(), 12U);
  }
}

std::size_t count(const std::string& text, const std::string& part) {
  std::size_t found = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) {
    ++found;
  }
  return found;
}

TEST(Svg, HasALineAMarkerAPointAndALegend) {
  const LineChart chart{.title = "cost & <gain>",
                        .x_label = "amount",
                        .y_label = "ROUGE-L",
                        .series = {{"one", {{0, 0.3}, {0.5, 0.2}, {1, 0.1}}},
                                   {"two", {{0, 0.3}, {0.5, NAN}, {1, 0}}}}};
  const std::string text = line_charts(std::vector{chart});
  EXPECT_EQ(count(text, "<polyline"), 2U);
  EXPECT_EQ(count(text, "<circle"), 3U + 1U);
  // Square markers of the second series; the point that is not a number has none.
  EXPECT_EQ(count(text, "<polygon"), 2U + 1U);
  for (const char* part : {"cost &amp; &lt;gain&gt;", ">one</text>", ">two</text>",
                           ">amount</text>", ">0.3</text>", "rotate(-90"}) {
    EXPECT_THAT(text, HasSubstr(part));
  }
  EXPECT_THAT(text, Not(HasSubstr("nan")));
  // The lowest and the highest tick are the corners of the plot, 64 to 504 and 40 to 344.
  EXPECT_THAT(text, HasSubstr("points=\"64.0,40.0 284.0,141.3 504.0,242.7\""));
  EXPECT_EQ(count(text, "<svg"), 1U);
  EXPECT_TRUE(text.ends_with("</svg>\n"));
}

TEST(Svg, OfNothingHasAxesAlone) {
  EXPECT_THAT(line_charts({}), Not(HasSubstr("polyline")));
  const std::string text = line_charts(std::vector<LineChart>{{.title = "empty"}});
  EXPECT_THAT(text, HasSubstr("empty"));
  EXPECT_THAT(text, Not(HasSubstr("nan")));
  EXPECT_THAT(text, Not(HasSubstr("inf")));
}

}  // namespace
}  // namespace kobolt
