#include <gtest/gtest.h>

#include <vector>

#include "kernels/kernels.h"

namespace kobolt::kernels {
namespace {

TEST(GemmTest, SmallProductByHand) {
  const std::vector<float> w = {1, 2, 3, 4, 5, 6};  // [2, 3]
  const std::vector<float> a = {1, 0, -1};
  std::vector<float> packed(packed_f32_size(2, 3));
  pack_f32(w.data(), 3, 2, 3, packed.data());
  std::vector<float> c(3, 9.0F);
  gemm_f32(a.data(), 3, 1, {packed.data(), 2, 3}, 0, 1, c.data(), 2, {});
  EXPECT_EQ(c, (std::vector<float>{-2, -2, 9}));
}

}  // namespace
}  // namespace kobolt::kernels
