#include <cstdint>
#include <cstring>

#include "base/float16.h"
#include "kernel_test.h"
#include "kernels/block4.h"
#include "kernels/bytes.h"
#include "kernels/scalar.h"

namespace kobolt::kernels {
namespace {

/// Rows of bytes as gemm_u8_i4 takes them.
struct GroupRows {
  GroupRows(int m, int k)
      : ld(static_cast<std::ptrdiff_t>(groups(k)) * kGroup4),
        q(static_cast<std::size_t>(m * ld)),
        scales(static_cast<std::size_t>(m), 1.0F),
        zeros(static_cast<std::size_t>(m)) {}
  [[nodiscard]] RowsU8 view() const { return from(0); }
  [[nodiscard]] RowsU8 from(int row) const {
    return {q.data() + row * ld, ld, scales.data() + row, zeros.data() + row};
  }

  std::ptrdiff_t ld;
  std::vector<std::uint8_t> q;
  std::vector<float> scales;
  std::vector<std::int32_t> zeros;
};

class GemmI4Test : public KernelTest {
 protected:
  /// Bytes everywhere, also past k, where no weight may see them.
  GroupRows random_rows(int m, int k) {
    GroupRows rows(m, k);
    for (std::uint8_t& value : rows.q) value = static_cast<std::uint8_t>(random_integer(0, 255));
    for (std::int32_t& zero : rows.zeros) zero = random_integer(0, 255);
    rows.scales = random(static_cast<std::size_t>(m));
    return rows;
  }
};
KOBOLT_FOR_EACH_INSTRUCTION_SET(GemmI4Test);

std::vector<std::uint8_t> packed_i4(const std::vector<float>& w, int n, int k) {
  std::vector<std::uint8_t> packed(packed_i4_size(n, k), 0xA5);
  pack_i4(w.data(), k, n, k, packed.data());
  return packed;
}

TEST_P(GemmI4Test, EveryShapeMatchesDoublePrecisionAndTheScalarTwin) {
  for (const int k : {0, 1, 2, 7, 31, 32, 33, 64, 255, 512, 513, 1061}) {
    for (const int n : {1, 15, 16, 17, 70, 300}) {
      const auto weights = random(static_cast<std::size_t>(n) * static_cast<std::size_t>(k));
      const std::vector<std::uint8_t> packed = packed_i4(weights, n, k);
      const PackedI4 weight{packed.data(), n, k};
      std::vector<float> unpacked(weights.size());
      for (int j = 0; j < n; ++j) {
        unpack_i4_row(weight, j, unpacked.data() + static_cast<std::ptrdiff_t>(j) * k);
      }
      // An element depends on its row, its column and k only: one reference serves all m.
      constexpr int kMostRows = 73;
      const GroupRows a = random_rows(kMostRows, k);
      const std::vector<float> bias = random(static_cast<std::size_t>(padded(n)));
      const Epilogue epilogue{.bias = bias.data(), .activation = Activation::relu};
      GuardedOutput twin(kMostRows, n);
      scalar::gemm_u8_i4(a.view(), kMostRows, weight, 0, panels(n), twin.data(), twin.ld(),
                         epilogue);
      std::vector<double> exact;
      std::vector<double> bounds;
      for (int i = 0; i < kMostRows; ++i) {
        const auto row = static_cast<std::size_t>(i);
        for (int j = 0; j < n; ++j) {
          double sum = 0;
          double magnitude = 0;  // of the two sums that are subtracted
          for (int l = 0; l < k; ++l) {
            const int value = a.q[static_cast<std::size_t>(i * a.ld + l)];
            const double w = unpacked[static_cast<std::size_t>(j * k + l)];
            sum += (value - a.zeros[row]) * w;
            magnitude += (value + a.zeros[row]) * std::abs(w);
          }
          const double scale = a.scales[row];
          const double offset = bias[static_cast<std::size_t>(j)];
          exact.push_back(std::max(0.0, sum * scale + offset));
          // A rounding or two for each group; for the zero, the scale of the row and the bias.
          bounds.push_back((2 * groups(k) + 6) * kRounding *
                           (magnitude * std::abs(scale) + std::abs(offset)));
        }
      }
      for (const int m : {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 24, kMostRows}) {
        GuardedOutput c(m, n);
        gemm_u8_i4(a.view(), m, weight, 0, panels(n), c.data(), c.ld(), epilogue);
        Worst against_exact;
        Worst against_twin;
        for (int i = 0; i < m; ++i) {
          for (int j = 0; j < n; ++j) {
            const auto at = static_cast<std::size_t>(i * n + j);
            against_exact.see(c.at(i, j), exact[at], bounds[at], i, j);
            against_twin.see(c.at(i, j), twin.at(i, j), 2 * bounds[at], i, j);
          }
        }
        ASSERT_TRUE(against_exact.within_bounds()) << "m " << m << ", n " << n << ", k " << k;
        ASSERT_TRUE(against_twin.within_bounds()) << "m " << m << ", n " << n << ", k " << k;
        ASSERT_TRUE(c.guards_hold()) << "m " << m << ", n " << n << ", k " << k;
      }
    }
  }
}

/// A document's numbers do not depend on who shares its batch.
TEST_P(GemmI4Test, ARowIsTheSameInAnyCompany) {
  constexpr int kN = 50;
  constexpr int kK = 2081;
  constexpr int kMostRows = 151;
  const std::vector<std::uint8_t> packed = packed_i4(random(kN * kK), kN, kK);
  const PackedI4 weight{packed.data(), kN, kK};
  const GroupRows a = random_rows(kMostRows, kK);
  GuardedOutput alone(kMostRows, kN);
  for (int i = 0; i < kMostRows; ++i) {
    gemm_u8_i4(a.from(i), 1, weight, 0, panels(kN), &alone.at(i, 0), alone.ld(), {});
  }
  for (const int m : {2, 5, 8, 9, 13, 72, kMostRows}) {
    GuardedOutput c(m, kN);
    gemm_u8_i4(a.view(), m, weight, 0, panels(kN), c.data(), c.ld(), {});
    for (int i = 0; i < m; ++i) {
      for (int j = 0; j < kN; ++j) ASSERT_EQ(c.at(i, j), alone.at(i, j)) << m;
    }
  }
}

/// All weights -8 steps, all activations at one end of their range: the largest sums of a group, to
/// the bit.
TEST_P(GemmI4Test, LargestSumsDoNotOverflow) {
  constexpr int kN = 3;
  for (const int k : {32, 33, 768, 20000}) {
    const std::vector<float> w(static_cast<std::size_t>(kN) * static_cast<std::size_t>(k), 1.0F);
    std::vector<std::uint8_t> packed = packed_i4(w, kN, k);
    for (int j = 0; j < kN; ++j) {
      for (int g = 0; g < groups(k); ++g) {
        std::uint8_t* block = packed.data() + static_cast<std::ptrdiff_t>(g) * kBlock4;
        const std::uint16_t one = bf16_from_f32(1.0F);
        std::memcpy(block + 2 * j, &one, sizeof(one));
        for (int l = 0; l < kGroup4; ++l) {
          std::uint8_t& byte = block[nibble_byte(j, l)];
          byte = static_cast<std::uint8_t>((byte & ~(0xF << nibble_shift(l))) |
                                           (8 << nibble_shift(l)));
        }
      }
    }
    for (const int m : {1, 5, 13}) {
      for (const int zero : {0, 255}) {
        GroupRows a(m, k);
        std::fill(a.q.begin(), a.q.end(), static_cast<std::uint8_t>(255 - zero));
        std::fill(a.zeros.begin(), a.zeros.end(), zero);
        GuardedOutput c(m, kN);
        gemm_u8_i4(a.view(), m, {packed.data(), kN, k}, 0, 1, c.data(), c.ld(), {});
        const double expected = -8.0 * (255 - 2 * zero) * static_cast<double>(a.ld);
        for (int i = 0; i < m; ++i) {
          for (int j = 0; j < kN; ++j) {
            ASSERT_NEAR(c.at(i, j), expected, 2 * groups(k) * kRounding * std::abs(expected));
          }
        }
      }
    }
  }
}

/// Each nibble by itself: activation l is 1, all others 0.
TEST_P(GemmI4Test, EveryWeightMeetsItsActivation) {
  constexpr int kK = 65;
  constexpr int kN = 17;
  const std::vector<std::uint8_t> packed = packed_i4(random(kN * kK), kN, kK);
  const PackedI4 weight{packed.data(), kN, kK};
  GroupRows a(kK, kK);
  for (int l = 0; l < kK; ++l) a.q[static_cast<std::size_t>(l * a.ld + l)] = 1;
  for (const int rows : {1, 4, kK}) {
    GuardedOutput c(kK, kN);
    for (int i = 0; i < kK; i += rows) {
      const int m = std::min(rows, kK - i);
      gemm_u8_i4(a.from(i), m, weight, 0, panels(kN), &c.at(i, 0), c.ld(), {});
    }
    for (int j = 0; j < kN; ++j) {
      std::vector<float> row(kK);
      unpack_i4_row(weight, j, row.data());
      double magnitude = 0;
      for (const float value : row) magnitude += std::abs(value);
      for (int l = 0; l < kK; ++l) {
        // Exact on most sets; where activations lose 128 on their way, what they lost comes back.
        ASSERT_NEAR(c.at(l, j), row[static_cast<std::size_t>(l)], 1024 * kRounding * magnitude);
      }
    }
  }
}

TEST_P(GemmI4Test, PanelRangeLeavesTheOtherColumnsAlone) {
  constexpr int kN = 70;
  constexpr int kK = 600;
  const std::vector<std::uint8_t> packed = packed_i4(random(kN * kK), kN, kK);
  const PackedI4 weight{packed.data(), kN, kK};
  for (const int m : {1, 7, 31}) {
    const GroupRows a = random_rows(m, kK);
    GuardedOutput whole(m, kN);
    GuardedOutput part(m, kN);
    gemm_u8_i4(a.view(), m, weight, 0, panels(kN), whole.data(), whole.ld(), {});
    gemm_u8_i4(a.view(), m, weight, 1, 3, part.data(), part.ld(), {});
    ASSERT_TRUE(part.guards_hold(kPanel, 3 * kPanel));
    for (int i = 0; i < m; ++i) {
      for (int j = kPanel; j < 3 * kPanel; ++j) ASSERT_EQ(part.at(i, j), whole.at(i, j));
    }
  }
}

TEST_P(GemmI4Test, RowOfScaleNanIsNan) {
  const std::vector<std::uint8_t> packed = packed_i4(random(2 * 32), 2, 32);
  GroupRows a(2, 32);
  std::fill(a.q.begin(), a.q.end(), std::uint8_t{1});
  a.scales = {1.0F, kNan};
  GuardedOutput c(2, 2);
  gemm_u8_i4(a.view(), 2, {packed.data(), 2, 32}, 0, 1, c.data(), c.ld(), {});
  EXPECT_FALSE(std::isnan(c.at(0, 0)));
  EXPECT_TRUE(std::isnan(c.at(1, 0)));
  EXPECT_TRUE(std::isnan(c.at(1, 1)));
}

class PackI4Test : public KernelTest {};
KOBOLT_FOR_EACH_INSTRUCTION_SET(PackI4Test);

std::vector<float> rounded_to_i4(const std::vector<float>& row) {
  const int k = static_cast<int>(row.size());
  const std::vector<std::uint8_t> packed = packed_i4(row, 1, k);
  std::vector<float> out(row.size());
  unpack_i4_row({packed.data(), 1, k}, 0, out.data());
  return out;
}

TEST_P(PackI4Test, KeepsWhatFourBitsHoldExactly) {
  std::vector<float> row;
  for (int q = -8; q <= 7; ++q) row.insert(row.end(), 2, 0.5F * static_cast<float>(q));
  EXPECT_EQ(rounded_to_i4(row), row);
  for (float& value : row) value = -value;  // the longer half is that of the extreme's sign
  EXPECT_EQ(rounded_to_i4(row), row);
}

TEST_P(PackI4Test, GroupsOfDifferentSizesDoNotDisturbEachOther) {
  std::vector<float> row = random(96);
  for (std::size_t i = 32; i < 64; ++i) row[i] *= 1e6F;
  for (std::size_t i = 64; i < 96; ++i) row[i] *= 1e-6F;
  const std::vector<float> rounded = rounded_to_i4(row);
  for (std::size_t begin = 0; begin < 96; begin += 32) {
    float largest = 0;
    for (std::size_t i = begin; i < begin + 32; ++i) largest = std::max(largest, std::abs(row[i]));
    for (std::size_t i = begin; i < begin + 32; ++i) {
      // Half a step, or what a smaller reach than 8 cuts off.
      EXPECT_LE(std::abs(rounded[i] - row[i]), largest * 3 / 8) << i;
    }
  }
}

/// No worse than rounding to -7..7 by the largest magnitude, group by group, and better in all.
TEST_P(PackI4Test, SearchedScalesBeatTheLargestMagnitude) {
  constexpr std::size_t kGroups = 200;
  const std::vector<float> row = random(kGroups * kGroup4);
  const std::vector<float> rounded = rounded_to_i4(row);
  double searched = 0;
  double plain = 0;
  double power = 0;
  for (std::size_t begin = 0; begin < row.size(); begin += kGroup4) {
    float largest = 0;
    for (std::size_t i = begin; i < begin + kGroup4; ++i) {
      largest = std::max(largest, std::abs(row[i]));
    }
    for (std::size_t i = begin; i < begin + kGroup4; ++i) {
      const float step = largest / 7;
      searched += std::pow(rounded[i] - row[i], 2);
      plain += std::pow(std::nearbyint(row[i] / step) * step - row[i], 2);
      power += std::pow(row[i], 2);
    }
  }
  EXPECT_LT(searched, 0.8 * plain);
  EXPECT_LT(std::sqrt(searched / power), 0.09);
}

TEST_P(PackI4Test, NothingAndNotANumber) {
  for (const float tiny : {0.0F, -0.0F, 1e-45F, 9e-31F}) {
    EXPECT_EQ(rounded_to_i4(std::vector<float>(40, tiny)), std::vector<float>(40, 0.0F));
  }
  std::vector<float> row(64, 1.0F);
  row[3] = kNan;
  row[40] = kInfinity;
  const std::vector<float> rounded = rounded_to_i4(row);
  EXPECT_EQ(rounded[0], 1.0F);
  EXPECT_EQ(rounded[3], 0.0F);
  EXPECT_TRUE(std::isnan(rounded[40]));  // a group with infinity is poisoned, visibly
  const float most = std::numeric_limits<float>::max();
  for (const float value : rounded_to_i4(std::vector<float>(32, most / 2))) {
    EXPECT_NEAR(value / most, 0.5F, 0.005F);
  }
}

}  // namespace
}  // namespace kobolt::kernels
