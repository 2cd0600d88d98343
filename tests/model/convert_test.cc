#include "model/convert.h"

#include <gtest/gtest.h>

#include <limits>
#include <vector>

#include "kobolt/error.h"

namespace kobolt {
namespace {

TEST(Convert, RoundsToTheFormatAndBack) {
  const Tensor tensor = Tensor::from_f32({3}, {1.0F, 1.0F + 1.0F / 1024, 1.0F + 1.0F / 4096});
  EXPECT_EQ(convert(tensor, DType::f16, "w").to_f32(),
            (std::vector<float>{1.0F, 1.0F + 1.0F / 1024, 1.0F}));
  EXPECT_EQ(convert(tensor, DType::bf16, "w").to_f32(), (std::vector<float>{1.0F, 1.0F, 1.0F}));
  const Tensor half = convert(tensor, DType::f16, "w");
  EXPECT_EQ(convert(half, DType::f32, "w").dtype, DType::f32);
  EXPECT_EQ(convert(half, DType::f16, "w").bytes.data(), half.bytes.data());
}

TEST(Convert, KeepsInfinityButMakesNone) {
  const float infinity = std::numeric_limits<float>::infinity();
  EXPECT_EQ(convert(Tensor::from_f32({1}, {infinity}), DType::f16, "w").to_f32()[0], infinity);
  const Tensor large = Tensor::from_f32({2}, {0.0F, -1e5F});
  EXPECT_EQ(convert(large, DType::bf16, "w").dtype, DType::bf16);
  try {
    convert(large, DType::f16, "fc1");
    FAIL() << "converted";
  } catch (const Error& error) {
    EXPECT_EQ(error.detail().field, "fc1");
  }
}

}  // namespace
}  // namespace kobolt
