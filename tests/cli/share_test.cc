#include "cli/share.h"

#include <gtest/gtest.h>

namespace kobolt::cli {
namespace {

TEST(ShareTest, ReadsPercentAndFractions) {
  EXPECT_DOUBLE_EQ(share_from_text("99%").value(), 0.99);
  EXPECT_DOUBLE_EQ(share_from_text("99.9 %").value(), 0.999);
  EXPECT_DOUBLE_EQ(share_from_text("0.95").value(), 0.95);
  EXPECT_DOUBLE_EQ(share_from_text("101%").value(), 1.01);
  for (const char* text : {"", "%", "99", "0", "-1%", "nan", "0.9x", "1e9%", "9 9%"}) {
    EXPECT_FALSE(share_from_text(text)) << text;
  }
}

TEST(ShareTest, NeverReadsAsWhatItMisses) {
  EXPECT_EQ(share_text(0.9912, 0.99), "99.12 %");
  EXPECT_EQ(share_text(0.99, 0.99), "99.00 %");
  EXPECT_EQ(share_text(0.98997, 0.99), "98.997 %");
  EXPECT_EQ(share_text(0.9899999, 0.99), "98.99999 %");
}

}  // namespace
}  // namespace kobolt::cli
