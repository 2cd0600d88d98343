#include "kernels/bf16.h"

#include <cstdint>

#include "base/float16.h"
#include "kernel_test.h"
#include "kernels/scalar.h"

// Rows of bfloat16 and products with them. A product of two bfloat16 is exact in fp32; what is left
// of rounding is that of the sums.
namespace kobolt::kernels {
namespace {

constexpr std::uint16_t kUntouched = 0x4242;

class BFloatRowsTest : public KernelTest {
 protected:
  std::vector<std::uint16_t> random_rows(int m, int k) {
    const auto ld = static_cast<std::size_t>(2 * pairs(k));
    const std::vector<float> x = random(static_cast<std::size_t>(m) * static_cast<std::size_t>(k));
    std::vector<std::uint16_t> rows(static_cast<std::size_t>(m) * ld);
    scalar::round_rows_bf16(x.data(), k, m, k, rows.data(), 2 * pairs(k));
    return rows;
  }
  std::vector<std::uint16_t> random_weights(int n, int k) {
    std::vector<std::uint16_t> packed(packed_16_size(n, k));
    pack_bf16(random(static_cast<std::size_t>(n) * static_cast<std::size_t>(k)).data(), k, n, k,
              packed.data());
    return packed;
  }
};
KOBOLT_FOR_EACH_INSTRUCTION_SET(BFloatRowsTest);

TEST_P(BFloatRowsTest, RoundedRowsEqualTheScalarTwin) {
  for (const int k : {0, 1, 2, 15, 16, 17, 31, 32, 33, 63, 64, 65, 767, 768}) {
    constexpr int kRows = 3;
    const std::ptrdiff_t ldx = k + 5;
    const std::ptrdiff_t ldq = 2 * pairs(k) + 3;
    const std::vector<float> x = random(static_cast<std::size_t>(kRows * ldx));
    std::vector<std::uint16_t> rows(static_cast<std::size_t>(kRows * ldq), kUntouched);
    std::vector<std::uint16_t> twin = rows;
    round_rows_bf16(x.data(), ldx, kRows, k, rows.data(), ldq);
    scalar::round_rows_bf16(x.data(), ldx, kRows, k, twin.data(), ldq);
    EXPECT_EQ(rows, twin) << k;
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const auto row = static_cast<std::ptrdiff_t>(i) / ldq;
      const auto l = static_cast<std::ptrdiff_t>(i) % ldq;
      const std::uint16_t expected = l >= 2 * pairs(k) ? kUntouched
                                     : l >= k          ? std::uint16_t{0}
                                                       : bf16_from_f32(x[row * ldx + l]);
      ASSERT_EQ(rows[i], expected) << k << ": " << row << ", " << l;
    }
  }
}

TEST_P(BFloatRowsTest, RoundingOfEveryKindOfValue) {
  const std::vector<float> x = {
      1.0F + 0x1p-8F,  // a tie falls to the even neighbour
      1.0F + 0x3p-8F,  // and here the even one is above
      1.0F + 0x1p-8F + 0x1p-20F,
      -1.0F - 0x1p-9F,
      0x1.FFp127F,  // rounds to infinity
      0x1.FDp127F,
      kInfinity,
      -kInfinity,
      kNan,
      0x1p-126F,  // the smallest normal float
      0x1p-127F,
      -0x1p-149F,
      0.0F,
      -0.0F,
  };
  const std::vector<float> expected = {
      1.0F,       1.0F + 0x1p-6F, 1.0F + 0x1p-7F, -1.0F, kInfinity, 0x1.FCp127F, kInfinity,
      -kInfinity, kNan,           0x1p-126F,      0.0F,  -0.0F,     0.0F,        -0.0F};
  const int k = static_cast<int>(x.size());
  // Each value in every lane of a vector, and in what is left behind whole vectors.
  for (int shift = 0; shift < 48; ++shift) {
    std::vector<float> shifted(static_cast<std::size_t>(shift), 1.0F);
    shifted.insert(shifted.end(), x.begin(), x.end());
    std::vector<std::uint16_t> row(shifted.size() + 1);
    round_rows_bf16(shifted.data(), 0, 1, shift + k, row.data(), 0);
    for (std::size_t i = 0; i < x.size(); ++i) {
      const float found = f32_from_bf16(row[static_cast<std::size_t>(shift) + i]);
      if (std::isnan(expected[i])) {
        EXPECT_TRUE(std::isnan(found)) << shift;
      } else {
        EXPECT_EQ(found, expected[i]) << i << ", " << shift;
        EXPECT_EQ(std::signbit(found), std::signbit(expected[i])) << i << ", " << shift;
      }
    }
  }
}

TEST_P(BFloatRowsTest, ProductsEqualTheScalarTwinAndDoNotDependOnTheOtherRows) {
  for (const int k : {0, 1, 2, 7, 33, 256, 767, 768, 769, 1540}) {
    for (const int n : {1, 15, 16, 17, 70, 300}) {
      const std::vector<std::uint16_t> packed = random_weights(n, k);
      const PackedBF16 weight{packed.data(), n, k};
      const std::ptrdiff_t lda = 2 * static_cast<std::ptrdiff_t>(pairs(k));
      const std::vector<float> bias = random(static_cast<std::size_t>(padded(n)));
      const Epilogue epilogue{.bias = bias.data(), .activation = Activation::relu};
      for (const int m : {1, 2, 5, 8, 9, 24, 150}) {
        if (m == 150 && n != 70) continue;
        const std::vector<std::uint16_t> a = random_rows(m, k);
        GuardedOutput c(m, n);
        GuardedOutput twin(m, n);
        gemm_bf16_bf16(a.data(), lda, m, weight, 0, panels(n), c.data(), c.ld(), epilogue);
        scalar::gemm_bf16_bf16(a.data(), lda, m, weight, 0, panels(n), twin.data(), twin.ld(),
                               epilogue);
        Worst worst;
        for (int i = 0; i < m; ++i) {
          for (int j = 0; j < n; ++j) {
            double magnitude = std::abs(bias[static_cast<std::size_t>(j)]);
            const std::uint16_t* panel =
                packed.data() + static_cast<std::ptrdiff_t>(j / kPanel) * k * kPanel;
            for (int l = 0; l < k; ++l) {
              magnitude += std::abs(
                  static_cast<double>(f32_from_bf16(a[static_cast<std::size_t>(i * lda + l)])) *
                  f32_from_bf16(panel[l * kPanel + j % kPanel]));
            }
            worst.see(c.at(i, j), twin.at(i, j), 2 * (k + 2) * kRounding * magnitude, i, j);
          }
        }
        ASSERT_TRUE(worst.within_bounds()) << "m " << m << ", n " << n << ", k " << k;
        ASSERT_TRUE(c.guards_hold()) << "m " << m << ", n " << n << ", k " << k;
        const int last = m - 1;
        GuardedOutput alone(1, n);
        gemm_bf16_bf16(a.data() + last * lda, lda, 1, weight, 0, panels(n), alone.data(),
                       alone.ld(), epilogue);
        for (int j = 0; j < n; ++j) ASSERT_EQ(alone.at(0, j), c.at(last, j)) << m << ", " << k;
      }
    }
  }
}

TEST_P(BFloatRowsTest, PanelRangeLeavesTheOtherColumnsAlone) {
  constexpr int kN = 70;
  for (const int k : {299, 300}) {
    for (const int m : {1, 7, 31}) {
      const std::vector<std::uint16_t> a = random_rows(m, k);
      const std::vector<std::uint16_t> packed = random_weights(kN, k);
      const PackedBF16 weight{packed.data(), kN, k};
      GuardedOutput whole(m, kN);
      gemm_bf16_bf16(a.data(), 300, m, weight, 0, panels(kN), whole.data(), whole.ld(), {});
      GuardedOutput part(m, kN);
      gemm_bf16_bf16(a.data(), 300, m, weight, 1, 3, part.data(), part.ld(), {});
      ASSERT_TRUE(part.guards_hold(kPanel, 3 * kPanel));
      for (int i = 0; i < m; ++i) {
        for (int j = kPanel; j < 3 * kPanel; ++j) ASSERT_EQ(part.at(i, j), whole.at(i, j));
      }
    }
  }
}

/// Every weight times 1, but for subnormals, which may count as 0.
TEST_P(BFloatRowsTest, EveryWeightIsTakenAsItIs) {
  constexpr int kN = 1 << 16;
  std::vector<std::uint16_t> packed(kN);
  for (std::size_t i = 0; i < packed.size(); ++i) packed[i] = static_cast<std::uint16_t>(i);
  for (const int m : {1, 9}) {
    const std::vector<std::uint16_t> ones(static_cast<std::size_t>(2 * m), bf16_from_f32(1.0F));
    std::vector<float> c(static_cast<std::size_t>(m) * kN);
    gemm_bf16_bf16(ones.data(), 2, m, {packed.data(), kN, 1}, 0, panels(kN), c.data(), kN, {});
    for (std::size_t i = 0; i < c.size(); ++i) {
      const float expected = f32_from_bf16(packed[i % kN]);
      const bool small = std::abs(expected) < 0x1p-126F;
      ASSERT_TRUE(c[i] == expected || (small && c[i] == 0.0F) ||
                  (std::isnan(c[i]) && std::isnan(expected)))
          << "bits " << i % kN << ": " << c[i] << ", expected " << expected;
    }
  }
}

/// What would be the second input of an odd last pair belongs to the next panel.
TEST_P(BFloatRowsTest, NothingOfTheNextPanelEntersAnOddLastPair) {
  constexpr int kN = 2 * kPanel;
  for (const int k : {1, 3, 33, 769}) {
    std::vector<std::uint16_t> packed = random_weights(kN, k);
    std::fill_n(packed.begin() + static_cast<std::ptrdiff_t>(k) * kPanel, kPanel,
                bf16_from_f32(kInfinity));
    for (const int m : {1, 8, 9}) {
      const std::vector<std::uint16_t> a = random_rows(m, k);
      GuardedOutput c(m, kN);
      gemm_bf16_bf16(a.data(), 2 * static_cast<std::ptrdiff_t>(pairs(k)), m, {packed.data(), kN, k},
                     0, 2, c.data(), c.ld(), {});
      for (int i = 0; i < m; ++i) {
        for (int j = 0; j < kPanel; ++j) EXPECT_TRUE(std::isfinite(c.at(i, j))) << k;
        for (int j = kPanel; j < kN; ++j) EXPECT_FALSE(std::isfinite(c.at(i, j))) << k;
      }
    }
  }
}

}  // namespace
}  // namespace kobolt::kernels
