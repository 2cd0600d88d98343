#include "model/positions.h"

#include <gtest/gtest.h>

#include <cmath>

namespace kobolt {
namespace {

TEST(Positions, SinesComeBeforeCosines) {
  const auto table = sinusoidal_positions(3, 4);
  ASSERT_EQ(table.size(), 12U);
  const float expected[] = {0.0F,           0.0F,
                            1.0F,           1.0F,
                            std::sin(1.0F), std::sin(0.01F),
                            std::cos(1.0F), std::cos(0.01F),
                            std::sin(2.0F), std::sin(0.02F),
                            std::cos(2.0F), std::cos(0.02F)};
  for (std::size_t i = 0; i < table.size(); ++i) EXPECT_FLOAT_EQ(table[i], expected[i]) << i;
}

// One sine more than cosines, the last wavelength without its cosine.
TEST(Positions, AnOddWidthEndsWithinItsRow) {
  const auto table = sinusoidal_positions(2, 3);
  ASSERT_EQ(table.size(), 6U);
  EXPECT_FLOAT_EQ(table[3], std::sin(1.0F));
  EXPECT_FLOAT_EQ(table[4], static_cast<float>(std::sin(1.0 / std::pow(10000.0, 2.0 / 3.0))));
  EXPECT_FLOAT_EQ(table[5], std::cos(1.0F));
}

}  // namespace
}  // namespace kobolt
