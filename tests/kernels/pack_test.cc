#include <cstdint>
#include <cstring>

#include "kernel_test.h"
#include "kernels/scalar.h"

namespace kobolt::kernels {
namespace {

class PackTest : public KernelTest {};
KOBOLT_FOR_EACH_INSTRUCTION_SET(PackTest);

/// Bits, not values: -0 and NaN must come through too.
bool same_bits(const std::vector<float>& a, const std::vector<float>& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
}

TEST_P(PackTest, PlacesColumnsInPanels) {
  const std::vector<float> w = {1, 2, 3, 4, 5, 6};  // [3, 2]
  std::vector<float> packed(packed_f32_size(3, 2), kGuard);
  pack_f32(w.data(), 2, 3, 2, packed.data());
  std::vector<float> expected(2 * kPanel, 0.0F);
  expected[0] = 1;
  expected[1] = 3;
  expected[2] = 5;
  expected[kPanel] = 2;
  expected[kPanel + 1] = 4;
  expected[kPanel + 2] = 6;
  EXPECT_EQ(packed, expected);
}

TEST_P(PackTest, EveryShapeEqualsTheScalarTwinBitForBit) {
  for (int n = 0; n <= 50; ++n) {
    for (const int k : {0, 1, 7, 8, 9, 16, 31, 48, 65}) {
      const std::ptrdiff_t ld = k + 3;
      // No element past the last one that is used: a sanitizer sees any read beyond.
      std::vector<float> w = random(n == 0 ? 0 : static_cast<std::size_t>((n - 1) * ld + k));
      if (!w.empty()) w[w.size() / 2] = -0.0F;
      const std::size_t size = packed_f32_size(n, k);
      std::vector<float> packed(size + 1, kGuard);
      std::vector<float> twin(size + 1, kGuard);
      pack_f32(w.data(), ld, n, k, packed.data());
      scalar::pack_f32(w.data(), ld, n, k, twin.data());
      ASSERT_TRUE(same_bits(packed, twin)) << "n " << n << ", k " << k;
    }
  }
}

TEST_P(PackTest, EveryTransposedShapeEqualsTheScalarTwinBitForBit) {
  for (int n = 0; n <= 50; ++n) {
    for (const int k : {0, 1, 7, 8, 9, 33}) {
      const std::ptrdiff_t ld = n + 2;
      const std::vector<float> w = random(k == 0 ? 0 : static_cast<std::size_t>((k - 1) * ld + n));
      const std::size_t size = packed_f32_size(n, k);
      std::vector<float> packed(size + 1, kGuard);
      std::vector<float> twin(size + 1, kGuard);
      pack_f32_transposed(w.data(), ld, n, k, packed.data());
      scalar::pack_f32_transposed(w.data(), ld, n, k, twin.data());
      ASSERT_TRUE(same_bits(packed, twin)) << "n " << n << ", k " << k;
    }
  }
}

class QuantizeTest : public KernelTest {};
KOBOLT_FOR_EACH_INSTRUCTION_SET(QuantizeTest);

TEST_P(QuantizeTest, EveryLengthIsWithinHalfAStepAndEqualsTheScalarTwin) {
  std::vector<int> lengths = {0, 48, 255, 256, 257, 768, 769, 20000};
  for (int k = 1; k <= 40; ++k) lengths.push_back(k);
  constexpr int kRows = 3;
  for (const int k : lengths) {
    const std::ptrdiff_t ldx = k + 1;
    const std::ptrdiff_t ldq = 2 * pairs(k) + 2;
    const std::vector<float> x = random(static_cast<std::size_t>(kRows * ldx));
    constexpr std::int16_t kShortGuard = 12345;
    std::vector<std::int16_t> q(static_cast<std::size_t>(kRows * ldq), kShortGuard);
    std::vector<std::int16_t> twin = q;
    std::vector<float> scales(kRows, kGuard);
    std::vector<float> twin_scales(kRows, kGuard);
    quantize_rows(x.data(), ldx, kRows, k, q.data(), ldq, scales.data());
    scalar::quantize_rows(x.data(), ldx, kRows, k, twin.data(), ldq, twin_scales.data());
    // The same float operations in both, so ties at .5 fall to the same side as well.
    ASSERT_EQ(scales, twin_scales) << k;
    ASSERT_EQ(q, twin) << k;
    const int limit = activation_limit(k);
    for (int i = 0; i < kRows; ++i) {
      Worst worst;
      for (int l = 0; l < k; ++l) {
        const int value = q[static_cast<std::size_t>(i * ldq + l)];
        ASSERT_LE(std::abs(value), limit);
        const double exact = x[static_cast<std::size_t>(i * ldx + l)];
        const double step = scales[i];
        worst.see(value * step, exact, step * (0.5 + 4 * kRounding * limit), i, l);
      }
      ASSERT_TRUE(worst.within_bounds()) << k;
      for (std::ptrdiff_t l = k; l < ldq; ++l) {
        ASSERT_EQ(q[static_cast<std::size_t>(i * ldq + l)], l < 2 * pairs(k) ? 0 : kShortGuard);
      }
    }
  }
}

TEST_P(QuantizeTest, LargestValueReachesTheLimit) {
  const std::vector<float> x = {0.5F, -8.0F, 4.0F};
  std::vector<std::int16_t> q(4);
  float scale = 0.0F;
  quantize_rows(x.data(), 3, 1, 3, q.data(), 4, &scale);
  EXPECT_EQ(q, (std::vector<std::int16_t>{128, -2047, 1024, 0}));  // 127.94, 1023.5 to even
  EXPECT_FLOAT_EQ(scale, 8.0F / 2047);
}

TEST_P(QuantizeTest, RowsOfNothingHaveScaleZero) {
  for (const float tiny : {0.0F, -0.0F, 1e-45F, 9e-31F}) {
    const std::vector<float> x(19, tiny);
    std::vector<std::int16_t> q(20, 77);
    float scale = 1.0F;
    quantize_rows(x.data(), 19, 1, 19, q.data(), 20, &scale);
    EXPECT_EQ(scale, 0.0F);
    EXPECT_EQ(q, std::vector<std::int16_t>(20, 0));
  }
}

TEST_P(QuantizeTest, NanAndInfinityAnywherePoisonTheirRowOnly) {
  constexpr int kLength = 19;
  for (const float bad : {kNan, -kNan, kInfinity, -kInfinity}) {
    for (int where = 0; where < kLength; ++where) {
      std::vector<float> x(2 * kLength, 1.0F);
      x[static_cast<std::size_t>(where)] = bad;
      std::vector<std::int16_t> q(40, 77);
      std::vector<float> scales(2);
      quantize_rows(x.data(), kLength, 2, kLength, q.data(), 20, scales.data());
      EXPECT_TRUE(std::isnan(scales[0])) << bad << " at " << where;
      EXPECT_EQ(std::count(q.begin(), q.begin() + 20, 0), 20) << bad << " at " << where;
      EXPECT_FLOAT_EQ(scales[1], 1.0F / 2047);
      EXPECT_EQ(std::count(q.begin() + 20, q.end() - 1, 2047), kLength);
    }
  }
}

TEST_P(QuantizeTest, LargestFiniteValuesStayFinite) {
  const float most = std::numeric_limits<float>::max();
  const std::vector<float> x = {most, -most, most / 2, 0, 0, 0, 0, 0, most};
  std::vector<std::int16_t> q(10);
  float scale = 0.0F;
  quantize_rows(x.data(), 9, 1, 9, q.data(), 10, &scale);
  EXPECT_EQ(q, (std::vector<std::int16_t>{2047, -2047, 1024, 0, 0, 0, 0, 0, 2047, 0}));
  EXPECT_FLOAT_EQ(scale, most / 2047);
}

}  // namespace
}  // namespace kobolt::kernels
