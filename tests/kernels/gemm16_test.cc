#include <cstdint>
#include <cstring>

#include "base/float16.h"
#include "kernel_test.h"
#include "kernels/scalar.h"

// Weights of 16 bits. Widening is exact, so a product must equal, bit for bit, that of gemm_f32
// over the widened weights; gemm_test.cc holds gemm_f32 against double precision.
namespace kobolt::kernels {
namespace {

struct F16 {
  using Packed = PackedF16;
  static constexpr auto kPack = pack_f16;
  static constexpr auto kGemm = gemm_f16;
  static constexpr auto kTwin = scalar::gemm_f16;
  static constexpr auto kWiden = f32_from_f16;
};
struct BF16 {
  using Packed = PackedBF16;
  static constexpr auto kPack = pack_bf16;
  static constexpr auto kGemm = gemm_bf16;
  static constexpr auto kTwin = scalar::gemm_bf16;
  static constexpr auto kWiden = f32_from_bf16;
};

class Gemm16Test : public KernelTest {
 protected:
  template <class Format>
  void expect_products_of_widened_weights();
};
KOBOLT_FOR_EACH_INSTRUCTION_SET(Gemm16Test);

template <class Format>
std::vector<std::uint16_t> packed_16(const std::vector<float>& w, int n, int k) {
  std::vector<std::uint16_t> packed(packed_16_size(n, k));
  Format::kPack(w.data(), k, n, k, packed.data());
  return packed;
}

template <class Format>
std::vector<float> widened(const std::vector<std::uint16_t>& packed) {
  std::vector<float> wide(packed.size());
  for (std::size_t i = 0; i < wide.size(); ++i) wide[i] = Format::kWiden(packed[i]);
  return wide;
}

template <class Format>
void Gemm16Test::expect_products_of_widened_weights() {
  for (const int k : {0, 1, 7, 33, 256, 257, 530}) {
    for (const int n : {1, 15, 16, 17, 70, 300}) {
      const auto rows = [&](int count) {
        return random(static_cast<std::size_t>(count) * static_cast<std::size_t>(k));
      };
      const std::vector<std::uint16_t> packed = packed_16<Format>(rows(n), n, k);
      const std::vector<float> wide = widened<Format>(packed);
      const typename Format::Packed weight{packed.data(), n, k};
      for (const int m : {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 24, 73}) {
        const std::vector<float> a = rows(m);
        const std::vector<float> bias = random(static_cast<std::size_t>(padded(n)));
        const Epilogue epilogue{.bias = bias.data(), .activation = Activation::relu};
        GuardedOutput c(m, n);
        GuardedOutput expected(m, n);
        Format::kGemm(a.data(), k, m, weight, 0, panels(n), c.data(), c.ld(), epilogue);
        gemm_f32(a.data(), k, m, {wide.data(), n, k}, 0, panels(n), expected.data(), expected.ld(),
                 epilogue);
        GuardedOutput twin(m, n);
        Format::kTwin(a.data(), k, m, weight, 0, panels(n), twin.data(), twin.ld(), epilogue);
        Worst worst;
        bool equal = true;
        for (int i = 0; i < m; ++i) {
          for (int j = 0; j < n; ++j) {
            equal = equal && c.at(i, j) == expected.at(i, j);
            double magnitude = std::abs(bias[static_cast<std::size_t>(j)]);
            const float* panel = wide.data() + static_cast<std::ptrdiff_t>(j / kPanel) * k * kPanel;
            for (int l = 0; l < k; ++l) {
              magnitude += std::abs(static_cast<double>(a[static_cast<std::size_t>(i * k + l)]) *
                                    panel[l * kPanel + j % kPanel]);
            }
            worst.see(c.at(i, j), twin.at(i, j), 2 * (k + 2) * kRounding * magnitude, i, j);
          }
        }
        ASSERT_TRUE(equal) << "m " << m << ", n " << n << ", k " << k;
        ASSERT_TRUE(worst.within_bounds()) << "m " << m << ", n " << n << ", k " << k;
        ASSERT_TRUE(c.guards_hold()) << "m " << m << ", n " << n << ", k " << k;
      }
    }
  }
}

TEST_P(Gemm16Test, EveryShapeOfF16EqualsF32OverTheWidenedWeights) {
  expect_products_of_widened_weights<F16>();
}
TEST_P(Gemm16Test, EveryShapeOfBF16EqualsF32OverTheWidenedWeights) {
  expect_products_of_widened_weights<BF16>();
}

/// Subnormals, infinities and NaN included: 1 * w is w, for one row and for many.
template <class Format>
void expect_every_value() {
  constexpr int kN = 1 << 16;
  std::vector<std::uint16_t> packed(kN);
  for (std::size_t i = 0; i < packed.size(); ++i) packed[i] = static_cast<std::uint16_t>(i);
  for (const int m : {1, 7, 13}) {
    const std::vector<float> ones(static_cast<std::size_t>(m), 1.0F);
    std::vector<float> c(static_cast<std::size_t>(m) * kN);
    Format::kGemm(ones.data(), 1, m, {packed.data(), kN, 1}, 0, panels(kN), c.data(), kN, {});
    for (std::size_t i = 0; i < c.size(); ++i) {
      const float expected = Format::kWiden(packed[i % kN]);
      ASSERT_TRUE(c[i] == expected || (std::isnan(c[i]) && std::isnan(expected)))
          << "bits " << i % kN << ": " << c[i] << ", expected " << expected;
    }
  }
}

TEST_P(Gemm16Test, EveryF16IsWidenedExactly) { expect_every_value<F16>(); }
TEST_P(Gemm16Test, EveryBF16IsWidenedExactly) { expect_every_value<BF16>(); }

TEST_P(Gemm16Test, PanelRangeLeavesTheOtherColumnsAlone) {
  constexpr int kN = 70;
  constexpr int kK = 300;
  for (const int m : {1, 7, 31}) {
    const std::vector<float> a = random(static_cast<std::size_t>(m) * kK);
    const std::vector<std::uint16_t> packed = packed_16<BF16>(random(kN * kK), kN, kK);
    const PackedBF16 weight{packed.data(), kN, kK};
    GuardedOutput whole(m, kN);
    gemm_bf16(a.data(), kK, m, weight, 0, panels(kN), whole.data(), whole.ld(), {});
    GuardedOutput part(m, kN);
    gemm_bf16(a.data(), kK, m, weight, 1, 3, part.data(), part.ld(), {});
    ASSERT_TRUE(part.guards_hold(kPanel, 3 * kPanel));
    for (int i = 0; i < m; ++i) {
      for (int j = kPanel; j < 3 * kPanel; ++j) ASSERT_EQ(part.at(i, j), whole.at(i, j));
    }
  }
}

TEST_P(Gemm16Test, PackingRoundsToNearestAndPadsWithZero) {
  const std::vector<float> w = {1.0F, 1.0F + 0x1p-11F, 1.0F + 0x3p-11F, 7e4F, 1e-7F, -1e-30F};
  std::vector<std::uint16_t> f16(packed_16_size(3, 2), 77);
  std::vector<std::uint16_t> bf16 = f16;
  pack_f16(w.data(), 2, 3, 2, f16.data());
  pack_bf16(w.data(), 2, 3, 2, bf16.data());
  const auto at = [](int column, int l) { return static_cast<std::size_t>(l * kPanel + column); };
  EXPECT_EQ(f32_from_f16(f16[at(0, 0)]), 1.0F);
  EXPECT_EQ(f32_from_f16(f16[at(0, 1)]), 1.0F);            // a tie falls to the even neighbour
  EXPECT_EQ(f32_from_f16(f16[at(1, 0)]), 1.0F + 0x1p-9F);  // and here the even one is above
  EXPECT_EQ(f32_from_f16(f16[at(1, 1)]), kInfinity);       // beyond 65504
  EXPECT_EQ(f32_from_f16(f16[at(2, 0)]), 0x1p-23F);        // a subnormal: 2 * 2^-24
  EXPECT_EQ(f32_from_bf16(bf16[at(1, 1)]), 70144.0F);      // 8 bits of 70000
  EXPECT_NEAR(f32_from_bf16(bf16[at(2, 1)]), -1e-30F, 1e-30F / 256);
  for (int column = 3; column < kPanel; ++column) {
    for (int l = 0; l < 2; ++l) {
      EXPECT_EQ(f16[at(column, l)], 0);
      EXPECT_EQ(bf16[at(column, l)], 0);
    }
  }
}

}  // namespace
}  // namespace kobolt::kernels
