#include "cli/quantity.h"

#include <gtest/gtest.h>

namespace kobolt::cli {
namespace {

TEST(Quantity, TimesHaveAUnit) {
  EXPECT_DOUBLE_EQ(seconds_from_text("50ms").value(), 0.05);
  EXPECT_DOUBLE_EQ(seconds_from_text("1.5 s").value(), 1.5);
  EXPECT_DOUBLE_EQ(seconds_from_text("200us").value(), 2e-4);
  for (const char* wrong : {"", "50", "0ms", "-1s", "ms", "1 m", "1s ", "nans", "infs", "1e999s"}) {
    EXPECT_FALSE(seconds_from_text(wrong)) << wrong;
  }
}

TEST(Quantity, SizesHaveAUnit) {
  EXPECT_EQ(bytes_from_text("60MB"), 60000000U);
  EXPECT_EQ(bytes_from_text("1.5 GB"), 1500000000U);
  EXPECT_EQ(bytes_from_text("64MiB"), 67108864U);
  EXPECT_EQ(bytes_from_text("417 B"), 417U);
  for (const char* wrong : {"", "60", "60mb", "0B", "-1MB", "0.1B", "1e300GB"}) {
    EXPECT_FALSE(bytes_from_text(wrong)) << wrong;
  }
}

}  // namespace
}  // namespace kobolt::cli
