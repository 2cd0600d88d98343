#include "report/chart.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cctype>
#include <string>
#include <vector>

#include "report/svg.h"

namespace kobolt {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

// Every tag that is opened is closed, in order.
void expect_well_formed(const std::string& svg) {
  std::vector<std::string> open;
  for (std::size_t at = svg.find('<'); at != std::string::npos; at = svg.find('<', at + 1)) {
    const std::size_t end = svg.find('>', at);
    ASSERT_NE(end, std::string::npos);
    const std::string tag = svg.substr(at + 1, end - at - 1);
    if (tag.back() == '/') continue;
    std::string name;
    for (const char c : tag) {
      if (c != '/' && std::isalnum(static_cast<unsigned char>(c)) == 0) break;
      name += c;
    }
    if (name[0] != '/') {
      open.push_back(name);
      continue;
    }
    ASSERT_FALSE(open.empty()) << svg;
    EXPECT_EQ("/" + open.back(), name);
    open.pop_back();
  }
  EXPECT_TRUE(open.empty());
  EXPECT_THAT(svg, Not(HasSubstr("nan")));
  EXPECT_THAT(svg, Not(HasSubstr("inf")));
}

TEST(AxisTest, TicksAreRoundNumbersWithinTheRange) {
  const Axis axis(0.03, 1.9, 0, 100);
  EXPECT_THAT(axis.ticks(), ElementsAre(0.5, 1.0, 1.5));
  EXPECT_EQ(axis.label(0.5), "0.5");
  EXPECT_NEAR(axis.at(0.03), 0, 1e-9);
  EXPECT_NEAR(axis.at(1.9), 100, 1e-9);
  for (const auto& [low, high] :
       {std::pair{0.0, 0.0}, {5.0, 5.0}, {99.2, 100.1}, {-3.0, 1e6}, {0.0, 1e-7}}) {
    const Axis other(low, high, 0, 100);
    EXPECT_GE(other.ticks().size(), 2U) << low << ' ' << high;
    EXPECT_LE(other.ticks().size(), 7U) << low << ' ' << high;
  }
}

TEST(TextTest, IsCutBetweenLetters) {
  EXPECT_EQ(shortened("short", 100, 10), "short");
  const std::string cut = shortened("한국어 대화 요약 모형의 이름", 80, 10);
  EXPECT_THAT(cut, ::testing::EndsWith("…"));
  EXPECT_THAT(cut, ::testing::StartsWith("한국어"));
  EXPECT_LE(text_width_estimate(cut, 10), 80);
  EXPECT_EQ(cut.find('\xEF'), std::string::npos);
  EXPECT_EQ(escape_html("<a href=\"x\">&"), "&lt;a href=&quot;x&quot;&gt;&amp;");
}

TEST(ChartTest, DrawsOrdinaryAndStrangeFigures) {
  const ChartRow row{.name = "<b>int8 & friends</b>", .value = "1.2x", .color = 1};
  for (const double middle : {1.0, 0.3, 250.0}) {
    expect_well_formed(interval_chart({{row, 1, 1, 1}, {row, middle * 0.9, middle, middle * 1.1}},
                                      1, "fp32", "x"));
  }
  expect_well_formed(sample_chart({{row, {1, 1, 1}}, {row, {}}, {row, {1, 2, 40}}}, "ms"));
  expect_well_formed(sample_chart({{row, {3}}}, "ms"));
  expect_well_formed(parts_chart({{row, {1, 2, 0}}, {row, {0, 0, 0}}}, {"a", "<b>", "c"}, "MB"));
  expect_well_formed(
      scatter_chart({{.name = "a", .x = 1, .y = 100},
                     {.name = "b", .color = 1, .x = 1, .y = 100, .x_low = 0.9, .x_high = 1.1}},
                    "speed", "quality"));
  EXPECT_THAT(interval_chart({{row, 1, 1, 1}}, 1, "fp32", "x"),
              HasSubstr("&lt;b&gt;int8 &amp; friends"));
}

TEST(ChartTest, NothingToDrawIsNoChart) {
  EXPECT_EQ(interval_chart({}, 1, "", ""), "");
  EXPECT_EQ(sample_chart({}, ""), "");
  EXPECT_EQ(parts_chart({}, {}, ""), "");
  EXPECT_EQ(scatter_chart({}, "", ""), "");
}

}  // namespace
}  // namespace kobolt
