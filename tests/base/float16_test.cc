#include "base/float16.h"

#include <gtest/gtest.h>

#include <cmath>

namespace kobolt {
namespace {

TEST(Float16, EveryHalfSurvivesTheRoundTrip) {
  for (std::uint32_t bits = 0; bits < 0x10000U; ++bits) {
    const auto half = static_cast<std::uint16_t>(bits);
    const float value = f32_from_f16(half);
    if (std::isnan(value)) {
      EXPECT_TRUE(std::isnan(f32_from_f16(f16_from_f32(value))));
    } else {
      ASSERT_EQ(f16_from_f32(value), half) << bits;
    }
  }
}

TEST(Float16, RoundsToNearestEven) {
  EXPECT_EQ(f16_from_f32(1.0F + 0x1p-11F), 0x3C00);     // tie, stays at the even side
  EXPECT_EQ(f16_from_f32(1.0F + 0x3p-11F), 0x3C02);     // tie, goes up to even
  EXPECT_EQ(f16_from_f32(1.0F + 0x1.02p-11F), 0x3C01);  // just above the tie
  EXPECT_EQ(f16_from_f32(65504.0F), 0x7BFF);
  EXPECT_EQ(f16_from_f32(65520.0F), 0x7C00);  // overflows to infinity
  EXPECT_EQ(f16_from_f32(0x1p-25F), 0x0000);  // tie below the least subnormal
  EXPECT_EQ(f16_from_f32(0x1.8p-25F), 0x0001);
}

TEST(BFloat16, RoundsToNearestEven) {
  EXPECT_EQ(bf16_from_f32(1.0F), 0x3F80);
  EXPECT_EQ(bf16_from_f32(1.0F + 0x1p-8F), 0x3F80);
  EXPECT_EQ(bf16_from_f32(1.0F + 0x3p-8F), 0x3F82);
  EXPECT_TRUE(std::isnan(f32_from_bf16(bf16_from_f32(NAN))));
}

}  // namespace
}  // namespace kobolt
