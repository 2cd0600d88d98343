#include <cstdint>
#include <numeric>

#include "kernel_test.h"
#include "kernels/scalar.h"

namespace kobolt::kernels {
namespace {

/// 1..13 and some more: every tile height, one to several tiles, even and uneven ones.
std::vector<int> row_counts() {
  std::vector<int> counts(13);
  std::iota(counts.begin(), counts.end(), 1);
  counts.insert(counts.end(), {24, 31, 40});
  return counts;
}

std::vector<int> column_counts() {
  std::vector<int> counts(40);
  std::iota(counts.begin(), counts.end(), 1);
  counts.insert(counts.end(), {48, 70});
  return counts;
}

constexpr int kDepths[] = {1, 2, 7, 15, 33, 48, 64, 255, 256, 257, 513, 768, 769};
constexpr int kMostRows = 40;
constexpr int kMostColumns = 70;
constexpr int kMostDepth = 769;

/// a.W^T in double precision with, for each element, the bound on fp32's rounding errors.
struct Product {
  std::vector<double> values;
  std::vector<double> bounds;
};

Product exact_product(const std::vector<float>& a, std::ptrdiff_t lda, int m,
                      const std::vector<float>& w, std::ptrdiff_t ldw, int n, int k) {
  Product product;
  for (int i = 0; i < m; ++i) {
    for (int j = 0; j < n; ++j) {
      double sum = 0.0;
      double magnitude = 0.0;
      for (int l = 0; l < k; ++l) {
        const double term = static_cast<double>(a[static_cast<std::size_t>(i * lda + l)]) *
                            static_cast<double>(w[static_cast<std::size_t>(j * ldw + l)]);
        sum += term;
        magnitude += std::abs(term);
      }
      product.values.push_back(sum);
      product.bounds.push_back((k + 1) * kRounding * magnitude);
    }
  }
  return product;
}

std::vector<float> pack(const std::vector<float>& w, std::ptrdiff_t ld, int n, int k) {
  std::vector<float> packed(packed_f32_size(n, k));
  scalar::pack_f32(w.data(), ld, n, k, packed.data());
  return packed;
}

class GemmF32Test : public KernelTest {};
KOBOLT_FOR_EACH_INSTRUCTION_SET(GemmF32Test);

TEST_P(GemmF32Test, SmallProductByHand) {
  const std::vector<float> w = {1, 2, 3, 4, 5, 6};  // [2, 3]
  const std::vector<float> a = {1, 0, -1};
  std::vector<float> packed(packed_f32_size(2, 3));
  pack_f32(w.data(), 3, 2, 3, packed.data());
  std::vector<float> c(3, 9.0F);
  gemm_f32(a.data(), 3, 1, {packed.data(), 2, 3}, 0, 1, c.data(), 2, {});
  EXPECT_EQ(c, (std::vector<float>{-2, -2, 9}));
}

TEST_P(GemmF32Test, EveryShapeMatchesDoublePrecisionAndTheScalarTwin) {
  const std::vector<float> a = random(kMostRows * kMostDepth);
  const std::vector<float> w = random(kMostColumns * kMostDepth);
  for (const int k : kDepths) {
    // An element depends on its row, its column and k only: one reference serves all m and n.
    const Product exact = exact_product(a, kMostDepth, kMostRows, w, kMostDepth, kMostColumns, k);
    const std::vector<float> whole = pack(w, kMostDepth, kMostColumns, k);
    std::vector<float> twin(exact.values.size());
    scalar::gemm_f32(a.data(), kMostDepth, kMostRows, {whole.data(), kMostColumns, k}, 0,
                     panels(kMostColumns), twin.data(), kMostColumns, {});
    for (const int n : column_counts()) {
      const std::vector<float> packed = pack(w, kMostDepth, n, k);
      for (const int m : row_counts()) {
        GuardedOutput c(m, n);
        gemm_f32(a.data(), kMostDepth, m, {packed.data(), n, k}, 0, panels(n), c.data(), c.ld(),
                 {});
        Worst against_exact;
        Worst against_twin;
        for (int i = 0; i < m; ++i) {
          for (int j = 0; j < n; ++j) {
            const auto at = static_cast<std::size_t>(i * kMostColumns + j);
            against_exact.see(c.at(i, j), exact.values[at], exact.bounds[at], i, j);
            against_twin.see(c.at(i, j), twin[at], 2 * exact.bounds[at], i, j);
          }
        }
        ASSERT_TRUE(against_exact.within_bounds()) << "m " << m << ", n " << n << ", k " << k;
        ASSERT_TRUE(against_twin.within_bounds()) << "m " << m << ", n " << n << ", k " << k;
        ASSERT_TRUE(c.guards_hold()) << "m " << m << ", n " << n << ", k " << k;
      }
    }
  }
}

/// More than one block of rows, group of panels and slice of k at once.
TEST_P(GemmF32Test, LargeProductMatchesDoublePrecision) {
  constexpr int kM = 80;
  constexpr int kN = 300;
  constexpr int kK = 530;
  const std::vector<float> a = random(kM * kK);
  const std::vector<float> w = random(kN * kK);
  const std::vector<float> packed = pack(w, kK, kN, kK);
  const Product exact = exact_product(a, kK, kM, w, kK, kN, kK);
  GuardedOutput c(kM, kN);
  gemm_f32(a.data(), kK, kM, {packed.data(), kN, kK}, 0, panels(kN), c.data(), c.ld(), {});
  Worst worst;
  for (int i = 0; i < kM; ++i) {
    for (int j = 0; j < kN; ++j) {
      const auto at = static_cast<std::size_t>(i * kN + j);
      worst.see(c.at(i, j), exact.values[at], exact.bounds[at], i, j);
    }
  }
  EXPECT_TRUE(worst.within_bounds());
  EXPECT_TRUE(c.guards_hold());
}

TEST_P(GemmF32Test, PanelRangeLeavesTheOtherColumnsAlone) {
  constexpr int kN = 70;
  constexpr int kK = 300;
  for (const int m : {1, 6, 7, 31}) {
    const std::vector<float> a = random(static_cast<std::size_t>(m) * kK);
    const std::vector<float> w = random(kN * kK);
    const std::vector<float> packed = pack(w, kK, kN, kK);
    const PackedF32 weight{packed.data(), kN, kK};
    GuardedOutput whole(m, kN);
    gemm_f32(a.data(), kK, m, weight, 0, panels(kN), whole.data(), whole.ld(), {});
    for (int begin = 0; begin <= panels(kN); ++begin) {
      for (int end = begin; end <= panels(kN); ++end) {
        GuardedOutput part(m, kN);
        gemm_f32(a.data(), kK, m, weight, begin, end, part.data(), part.ld(), {});
        const int first = begin * kPanel;
        const int last = std::min(end * kPanel, kN);
        ASSERT_TRUE(part.guards_hold(first, last))
            << m << " rows, [" << begin << ", " << end << ")";
        for (int i = 0; i < m; ++i) {
          for (int j = first; j < last; ++j) ASSERT_EQ(part.at(i, j), whole.at(i, j));
        }
      }
    }
  }
}

TEST_P(GemmF32Test, EmptyInnerSizeGivesTheEpilogueOfZero) {
  for (const int m : {1, 6, 7, 80}) {
    const std::vector<float> bias(padded(20), 2.0F);
    GuardedOutput c(m, 20);
    gemm_f32(nullptr, 0, m, {nullptr, 20, 0}, 0, 2, c.data(), c.ld(), {.bias = bias.data()});
    for (int i = 0; i < m; ++i) {
      for (int j = 0; j < 20; ++j) ASSERT_EQ(c.at(i, j), 2.0F);
    }
    EXPECT_TRUE(c.guards_hold());
  }
}

TEST_P(GemmF32Test, NoRowsOrNoColumnsDoNothing) {
  GuardedOutput c(2, 2);
  const std::vector<float> a(4);
  const std::vector<float> packed(packed_f32_size(2, 2));
  gemm_f32(a.data(), 2, 0, {packed.data(), 2, 2}, 0, 1, c.data(), c.ld(), {});
  gemm_f32(a.data(), 2, 2, {nullptr, 0, 2}, 0, 0, c.data(), c.ld(), {});
  EXPECT_TRUE(c.guards_hold(0, 0));
}

TEST_P(GemmF32Test, EveryEpilogueMatchesDoublePrecision) {
  enum class Residual { none, elsewhere, in_place };
  constexpr int kK = 33;
  for (const int m : {1, 5, 6, 7, 13}) {
    for (const int n : {1, 16, 17, 40}) {
      const auto size = static_cast<std::size_t>(m) * static_cast<std::size_t>(n);
      const std::vector<float> a = random(static_cast<std::size_t>(m) * kK);
      const std::vector<float> w = random(static_cast<std::size_t>(n) * kK, 0.0F, 0.4F);
      const std::vector<float> packed = pack(w, kK, n, kK);
      const std::vector<float> bias = random(static_cast<std::size_t>(padded(n)));
      const std::vector<float> residual = random(size);
      const Product exact = exact_product(a, kK, m, w, kK, n, kK);
      for (const Activation activation : kActivations) {
        for (const bool with_bias : {false, true}) {
          for (const Residual kind : {Residual::none, Residual::elsewhere, Residual::in_place}) {
            GuardedOutput c(m, n);
            Epilogue epilogue{.bias = with_bias ? bias.data() : nullptr, .activation = activation};
            if (kind == Residual::elsewhere) {
              epilogue.residual = residual.data();
              epilogue.ld_residual = n;
            } else if (kind == Residual::in_place) {
              for (int i = 0; i < m; ++i) std::copy_n(&residual[i * n], n, &c.at(i, 0));
              epilogue.residual = c.data();
              epilogue.ld_residual = c.ld();
            }
            gemm_f32(a.data(), kK, m, {packed.data(), n, kK}, 0, panels(n), c.data(), c.ld(),
                     epilogue);
            Worst worst;
            for (int i = 0; i < m; ++i) {
              for (int j = 0; j < n; ++j) {
                const auto at = static_cast<std::size_t>(i * n + j);
                const double input = exact.values[at] + (with_bias ? bias[j] : 0.0F);
                const double added = kind == Residual::none ? 0.0 : residual[at];
                const double expected = exact_activation(activation, input) + added;
                // No activation is steeper than 1.13; each step rounds once.
                const double bound = 1.13 * (exact.bounds[at] + kRounding * std::abs(input)) +
                                     (activation == Activation::none ? 0.0 : 1e-6) +
                                     2 * kRounding * (std::abs(expected) + std::abs(added));
                worst.see(c.at(i, j), expected, bound, i, j);
              }
            }
            ASSERT_TRUE(worst.within_bounds())
                << "m " << m << ", n " << n << ", " << name_of(activation);
            ASSERT_TRUE(c.guards_hold());
          }
        }
      }
    }
  }
}

TEST_P(GemmF32Test, NanOfOneRowStaysInThatRow) {
  constexpr int kM = 13;
  constexpr int kN = 20;
  constexpr int kK = 40;
  std::vector<float> a = random(kM * kK);
  a[5 * kK + 7] = kNan;
  const std::vector<float> packed = pack(random(kN * kK), kK, kN, kK);
  GuardedOutput c(kM, kN);
  gemm_f32(a.data(), kK, kM, {packed.data(), kN, kK}, 0, panels(kN), c.data(), c.ld(), {});
  for (int i = 0; i < kM; ++i) {
    for (int j = 0; j < kN; ++j) ASSERT_EQ(std::isnan(c.at(i, j)), i == 5) << i << ", " << j;
  }
}

/// Integer weights whose quantisation is exact with scale 1, because each row's largest is 127.
class GemmI8Test : public KernelTest {
 protected:
  std::vector<float> integer_weights(int n, int k) {
    std::vector<float> w(static_cast<std::size_t>(n) * static_cast<std::size_t>(k));
    for (float& value : w) value = static_cast<float>(random_integer(-127, 127));
    for (int j = 0; j < n; ++j) w[static_cast<std::size_t>(j) * k] = j % 2 == 0 ? 127.0F : -127.0F;
    return w;
  }

  std::vector<std::int16_t> integer_activations(std::size_t count, int limit) {
    std::vector<std::int16_t> a(count);
    for (std::int16_t& value : a) {
      value = static_cast<std::int16_t>(random_integer(-limit, limit));
    }
    return a;
  }
};
KOBOLT_FOR_EACH_INSTRUCTION_SET(GemmI8Test);

struct Packed {
  Packed(const std::vector<float>& w, std::ptrdiff_t ld, int n, int k)
      : data(packed_i8_size(n, k)), scales(static_cast<std::size_t>(padded(n))), n_(n), k_(k) {
    pack_i8(w.data(), ld, n, k, data.data(), scales.data());
  }
  [[nodiscard]] PackedI8 view() const { return {data.data(), scales.data(), n_, k_}; }

  std::vector<std::int8_t> data;
  std::vector<float> scales;
  int n_;
  int k_;
};

TEST_P(GemmI8Test, EveryShapeIsExactInIntegers) {
  constexpr int kLda = 2 * pairs(kMostDepth) + 2;
  const std::vector<std::int16_t> a =
      integer_activations(kMostRows * kLda, activation_limit(kMostDepth));
  const std::vector<float> w = integer_weights(kMostColumns, kMostDepth);
  const std::vector<float> ones(kMostRows, 1.0F);
  for (const int k : kDepths) {
    std::vector<std::int64_t> exact;
    for (int i = 0; i < kMostRows; ++i) {
      for (int j = 0; j < kMostColumns; ++j) {
        std::int64_t sum = 0;
        for (int l = 0; l < k; ++l) {
          sum += std::int64_t{a[static_cast<std::size_t>(i * kLda + l)]} *
                 static_cast<std::int64_t>(w[static_cast<std::size_t>(j * kMostDepth + l)]);
        }
        exact.push_back(sum);
      }
    }
    for (const int n : column_counts()) {
      const Packed packed(w, kMostDepth, n, k);
      for (const int m : row_counts()) {
        GuardedOutput c(m, n);
        gemm_i8(a.data(), kLda, ones.data(), m, packed.view(), 0, panels(n), c.data(), c.ld(), {});
        bool equal = true;
        for (int i = 0; i < m; ++i) {
          for (int j = 0; j < n; ++j) {
            const auto at = static_cast<std::size_t>(i * kMostColumns + j);
            equal = equal && c.at(i, j) == static_cast<float>(exact[at]);
          }
        }
        ASSERT_TRUE(equal) << "m " << m << ", n " << n << ", k " << k;
        ASSERT_TRUE(c.guards_hold()) << "m " << m << ", n " << n << ", k " << k;
      }
    }
  }
}

/// The integers are exact and the scales multiply in one order: not a bit may differ. With a bias a
/// compiler may fuse the last multiplication and the addition, which saves one rounding.
TEST_P(GemmI8Test, ScaledProductEqualsTheScalarTwin) {
  constexpr int kN = 300;
  constexpr int kK = 1061;  // more than two slices of pairs, odd
  constexpr std::ptrdiff_t kLda = 2 * pairs(kK);
  for (const int m : {1, 6, 7, 80}) {
    const std::vector<float> x = random(static_cast<std::size_t>(m) * kK);
    const std::vector<float> residual = random(static_cast<std::size_t>(m) * kN);
    const Packed packed(random(kN * kK), kK, kN, kK);
    const std::vector<float> bias = random(padded(kN));
    std::vector<std::int16_t> q(static_cast<std::size_t>(m * kLda));
    std::vector<float> scales(static_cast<std::size_t>(m));
    quantize_rows(x.data(), kK, m, kK, q.data(), kLda, scales.data());
    for (const bool plain : {true, false}) {
      Epilogue epilogue;
      if (!plain) {
        epilogue = {.bias = bias.data(),
                    .activation = Activation::relu,
                    .residual = residual.data(),
                    .ld_residual = kN};
      }
      GuardedOutput twin(m, kN);
      scalar::gemm_i8(q.data(), kLda, scales.data(), m, packed.view(), 0, panels(kN), twin.data(),
                      twin.ld(), epilogue);
      GuardedOutput whole(m, kN);
      gemm_i8(q.data(), kLda, scales.data(), m, packed.view(), 0, panels(kN), whole.data(),
              whole.ld(), epilogue);
      constexpr int kBegin = 3;
      constexpr int kEnd = 7;
      GuardedOutput part(m, kN);
      gemm_i8(q.data(), kLda, scales.data(), m, packed.view(), kBegin, kEnd, part.data(), part.ld(),
              epilogue);
      Worst worst;
      for (int i = 0; i < m; ++i) {
        for (int j = 0; j < kN; ++j) {
          const double parts = std::abs(twin.at(i, j)) + std::abs(bias[j]) +
                               2 * std::abs(residual[static_cast<std::size_t>(i * kN + j)]);
          worst.see(whole.at(i, j), twin.at(i, j), plain ? 0.0 : 4 * kRounding * parts, i, j);
          if (j >= kBegin * kPanel && j < kEnd * kPanel) {
            ASSERT_EQ(part.at(i, j), whole.at(i, j)) << m << ": " << i << ", " << j;
          }
        }
      }
      EXPECT_TRUE(worst.within_bounds()) << m << (plain ? " rows, plain" : " rows, epilogue");
      EXPECT_TRUE(whole.guards_hold());
      EXPECT_TRUE(part.guards_hold(kBegin * kPanel, kEnd * kPanel));
    }
  }
}

TEST_P(GemmI8Test, LargestSumsDoNotOverflow) {
  for (const int k : {768, 8305, 8306, 20000, 66000}) {
    const int limit = activation_limit(k);
    ASSERT_GE(limit, 127);
    for (const int m : {1, 7}) {
      const std::vector<std::int16_t> a(static_cast<std::size_t>(m) * 2 * pairs(k),
                                        static_cast<std::int16_t>(-limit));
      const std::vector<float> ones(static_cast<std::size_t>(m), 1.0F);
      const Packed packed(std::vector<float>(static_cast<std::size_t>(k), 127.0F), k, 1, k);
      GuardedOutput c(m, 1);
      gemm_i8(a.data(), 2 * pairs(k), ones.data(), m, packed.view(), 0, 1, c.data(), c.ld(), {});
      for (int i = 0; i < m; ++i) {
        EXPECT_EQ(c.at(i, 0), static_cast<float>(-std::int64_t{127} * limit * k)) << k;
      }
    }
  }
}

TEST_P(GemmI8Test, EmptyInnerSizeGivesTheEpilogueOfZero) {
  for (const int m : {1, 6, 7, 80}) {
    const std::vector<float> bias(padded(20), 2.0F);
    const std::vector<float> scales(static_cast<std::size_t>(padded(m)), 1.0F);
    GuardedOutput c(m, 20);
    gemm_i8(nullptr, 0, scales.data(), m, {nullptr, scales.data(), 20, 0}, 0, 1, c.data(), c.ld(),
            {.bias = bias.data()});
    for (int i = 0; i < m; ++i) {
      for (int j = 0; j < kPanel; ++j) ASSERT_EQ(c.at(i, j), 2.0F);
    }
    EXPECT_TRUE(c.guards_hold(0, kPanel));
  }
}

TEST_P(GemmI8Test, RowOfScaleNanIsNan) {
  const Packed packed(random(2 * 4), 4, 2, 4);
  const std::vector<float> x = {1, 2, 3, 4, 1, kInfinity, 3, 4};
  std::vector<std::int16_t> q(8);
  std::vector<float> scales(2);
  quantize_rows(x.data(), 4, 2, 4, q.data(), 4, scales.data());
  GuardedOutput c(2, 2);
  gemm_i8(q.data(), 4, scales.data(), 2, packed.view(), 0, 1, c.data(), c.ld(), {});
  EXPECT_FALSE(std::isnan(c.at(0, 0)));
  EXPECT_TRUE(std::isnan(c.at(1, 0)));
  EXPECT_TRUE(std::isnan(c.at(1, 1)));
}

}  // namespace
}  // namespace kobolt::kernels
