#include "kernels/bytes.h"

#include <cstdint>

#include "kernel_test.h"
#include "kernels/scalar.h"

namespace kobolt::kernels {
namespace {

/// Rows of bytes with their scales and zeros.
struct ByteRows {
  ByteRows(int m, int inputs)
      : k(inputs),
        q(static_cast<std::size_t>(m) * 4 * static_cast<std::size_t>(quads(inputs))),
        scales(static_cast<std::size_t>(m), kGuard),
        zeros(static_cast<std::size_t>(m), -1) {}
  [[nodiscard]] std::ptrdiff_t ld() const { return 4 * static_cast<std::ptrdiff_t>(quads(k)); }
  [[nodiscard]] RowsU8 view() const { return {q.data(), ld(), scales.data(), zeros.data()}; }

  int k;
  std::vector<std::uint8_t> q;
  std::vector<float> scales;
  std::vector<std::int32_t> zeros;
};

/// int8 weights of which each column has its largest possible magnitude, so that the scales are 1.
struct ByteWeights {
  ByteWeights(const std::vector<float>& w, int outputs, int inputs)
      : data(packed_i8_size(outputs, inputs)),
        scales(static_cast<std::size_t>(padded(outputs))),
        sums(static_cast<std::size_t>(padded(outputs)), -1),
        n(outputs),
        k(inputs) {
    pack_i8(w.data(), k, n, k, data.data(), scales.data());
    sum_columns({.data = data.data(), .scales = scales.data(), .n = n, .k = k}, sums.data());
  }
  [[nodiscard]] PackedI8 view() const { return {data.data(), scales.data(), n, k, sums.data()}; }

  std::vector<std::int8_t> data;
  std::vector<float> scales;
  std::vector<std::int32_t> sums;
  int n;
  int k;
};

class BytesTest : public KernelTest {
 protected:
  ByteRows random_rows(int m, int k) {
    ByteRows rows(m, k);
    for (std::size_t i = 0; i < rows.q.size(); ++i) {
      const bool inside = static_cast<std::ptrdiff_t>(i) % rows.ld() < k;
      rows.q[i] = static_cast<std::uint8_t>(inside ? random_integer(0, byte_limit(k)) : 0);
    }
    for (std::size_t i = 0; i < rows.scales.size(); ++i) {
      rows.zeros[i] = random_integer(0, byte_limit(k));
      rows.scales[i] = 1.0F;
    }
    return rows;
  }
};
KOBOLT_FOR_EACH_INSTRUCTION_SET(BytesTest);

TEST_P(BytesTest, QuantisedRowsEqualTheScalarTwinAndAreWithinHalfAStep) {
  for (const int k : {1, 2, 3, 4, 5, 15, 16, 17, 31, 33, 64, 255, 768, 769, 66000, 300000}) {
    const int rows_count = k > 1000 ? 1 : 5;
    for (const float mean : {0.0F, 2.0F, -3.0F}) {
      const std::vector<float> x = random(static_cast<std::size_t>(rows_count) * k, mean);
      ByteRows rows(rows_count, k);
      ByteRows twin(rows_count, k);
      std::fill(rows.q.begin(), rows.q.end(), std::uint8_t{77});
      quantize_rows_u8(x.data(), k, rows_count, k, rows.q.data(), rows.ld(), rows.scales.data(),
                       rows.zeros.data());
      scalar::quantize_rows_u8(x.data(), k, rows_count, k, twin.q.data(), twin.ld(),
                               twin.scales.data(), twin.zeros.data());
      ASSERT_EQ(rows.q, twin.q) << k;
      ASSERT_EQ(rows.scales, twin.scales) << k;
      ASSERT_EQ(rows.zeros, twin.zeros) << k;
      Worst worst;
      for (int i = 0; i < rows_count; ++i) {
        const auto row = static_cast<std::size_t>(i);
        for (int l = 0; l < k; ++l) {
          const int q = rows.q[static_cast<std::size_t>(i * rows.ld() + l)];
          ASSERT_LE(q, byte_limit(k));
          // At both ends of a row, its zero and its value may be rounded the same way.
          worst.see(rows.scales[row] * static_cast<float>(q - rows.zeros[row]), x[row * k + l],
                    1.01 * rows.scales[row], i, l);
        }
        for (std::ptrdiff_t l = k; l < rows.ld(); ++l) {
          ASSERT_EQ(rows.q[static_cast<std::size_t>(i * rows.ld() + l)], 0);
        }
      }
      ASSERT_TRUE(worst.within_bounds()) << k << ", mean " << mean;
    }
  }
}

TEST_P(BytesTest, RowsOfOneSignUseAllValues) {
  const std::vector<float> x = {0.0F, 1.0F, 255.0F, -255.0F, -1.0F, 0.0F};
  ByteRows rows(2, 3);
  quantize_rows_u8(x.data(), 3, 2, 3, rows.q.data(), rows.ld(), rows.scales.data(),
                   rows.zeros.data());
  EXPECT_EQ(rows.q, (std::vector<std::uint8_t>{0, 1, 255, 0, 0, 254, 255, 0}));
  EXPECT_EQ(rows.scales, (std::vector<float>{1.0F, 1.0F}));
  EXPECT_EQ(rows.zeros, (std::vector<std::int32_t>{0, 255}));
}

TEST_P(BytesTest, RowsWithoutNumbersAndOfNothing) {
  for (const int k : {1, 15, 16, 17, 40}) {
    const auto row = static_cast<std::size_t>(k);
    std::vector<float> x = random(4 * row);
    x[row - 1] = kNan;
    x[row] = -kInfinity;
    std::fill_n(x.begin() + 2 * k, k, 1e-31F);
    // The range of these is no float.
    std::fill_n(x.begin() + 3 * k, k, -3e38F);
    x[3 * row] = 3e38F;
    ByteRows rows(4, k);
    quantize_rows_u8(x.data(), k, 4, k, rows.q.data(), rows.ld(), rows.scales.data(),
                     rows.zeros.data());
    EXPECT_TRUE(std::isnan(rows.scales[0]));
    EXPECT_TRUE(std::isnan(rows.scales[1]));
    EXPECT_EQ(rows.scales[2], 0.0F);
    EXPECT_TRUE(std::isfinite(rows.scales[3]));
    for (std::ptrdiff_t i = 0; i < 3 * rows.ld(); ++i) {
      ASSERT_EQ(rows.q[static_cast<std::size_t>(i)], 0) << k;
    }
  }
}

TEST_P(BytesTest, EveryShapeIsExactInIntegers) {
  constexpr int kMostRows = 80;
  std::vector<int> row_counts = {16, 17, 24, 31, 72, 73, kMostRows};
  for (int m = 1; m <= 9; ++m) row_counts.push_back(m);
  for (const int k : {0, 1, 2, 3, 4, 5, 6, 7, 48, 255, 258, 769, 1538, 1539}) {
    const ByteRows rows = random_rows(kMostRows, k);
    for (const int n : {1, 15, 16, 17, 33, 300}) {
      std::vector<float> w(static_cast<std::size_t>(n) * static_cast<std::size_t>(k));
      for (float& value : w) value = static_cast<float>(random_integer(-127, 127));
      for (int j = 0; k > 0 && j < n; ++j) w[static_cast<std::size_t>(j) * k] = -127.0F;
      const ByteWeights weights(w, n, k);
      std::vector<double> exact;
      for (int i = 0; i < kMostRows; ++i) {
        const std::uint8_t* q = rows.q.data() + i * rows.ld();
        for (int j = 0; j < n; ++j) {
          std::int64_t sum = 0;
          for (int l = 0; l < k; ++l) {
            sum += (std::int64_t{q[l]} - rows.zeros[static_cast<std::size_t>(i)]) *
                   static_cast<std::int64_t>(w[static_cast<std::size_t>(j) * k + l]);
          }
          exact.push_back(static_cast<double>(sum));
        }
      }
      for (const int m : row_counts) {
        GuardedOutput c(m, n);
        gemm_u8_i8(rows.view(), m, weights.view(), 0, panels(n), c.data(), c.ld(), {});
        bool equal = true;
        for (int i = 0; i < m; ++i) {
          for (int j = 0; j < n; ++j) {
            equal = equal && c.at(i, j) == exact[static_cast<std::size_t>(i * n + j)];
          }
        }
        ASSERT_TRUE(equal) << "m " << m << ", n " << n << ", k " << k;
        ASSERT_TRUE(c.guards_hold()) << "m " << m << ", n " << n << ", k " << k;
      }
    }
  }
}

/// More than one block of rows and group of panels, one slice of k and more than one.
TEST_P(BytesTest, ManyRowsAreExactInIntegers) {
  constexpr int kM = 517;
  constexpr int kN = 113;  // 8 panels
  for (const int k : {20, 1029}) {
    const ByteRows rows = random_rows(kM, k);
    std::vector<float> w(static_cast<std::size_t>(kN) * static_cast<std::size_t>(k));
    for (float& value : w) value = static_cast<float>(random_integer(-127, 127));
    for (std::size_t j = 0; j < kN; ++j) w[j * static_cast<std::size_t>(k)] = -127.0F;
    const ByteWeights weights(w, kN, k);
    GuardedOutput c(kM, kN);
    gemm_u8_i8(rows.view(), kM, weights.view(), 0, panels(kN), c.data(), c.ld(), {});
    bool equal = true;
    for (int i = 0; i < kM; ++i) {
      const std::uint8_t* q = rows.q.data() + i * rows.ld();
      for (int j = 0; j < kN; ++j) {
        std::int64_t sum = 0;
        for (int l = 0; l < k; ++l) {
          sum += (std::int64_t{q[l]} - rows.zeros[static_cast<std::size_t>(i)]) *
                 static_cast<std::int64_t>(w[static_cast<std::size_t>(j) * k + l]);
        }
        equal = equal && c.at(i, j) == static_cast<float>(sum);
      }
    }
    EXPECT_TRUE(equal) << k;
    EXPECT_TRUE(c.guards_hold()) << k;
  }
}

TEST_P(BytesTest, SumsOfColumnsEqualTheScalarTwin) {
  for (const int n : {1, 16, 47}) {
    for (const int k : {0, 1, 2, 3, 4, 5, 6, 7, 8, 767, 768}) {
      const ByteWeights weights(random(static_cast<std::size_t>(n) * static_cast<std::size_t>(k)),
                                n, k);
      std::vector<std::int32_t> twin(weights.sums.size());
      scalar::sum_columns(weights.view(), twin.data());
      EXPECT_EQ(weights.sums, twin) << n << ", " << k;
      std::int32_t first = 0;
      for (int l = 0; l < k; ++l) {
        first += weights.data[static_cast<std::size_t>(l / 2 * kPanel * 2 + l % 2)];
      }
      EXPECT_EQ(twin[0], first) << n << ", " << k;
    }
  }
}

/// As GemmI8Test.ScaledProductEqualsTheScalarTwin: not a bit may differ without an epilogue.
TEST_P(BytesTest, ScaledProductEqualsTheScalarTwin) {
  constexpr int kN = 300;
  constexpr int kK = 1061;
  for (const int m : {1, 8, 9, 80}) {
    const std::vector<float> x = random(static_cast<std::size_t>(m) * kK, 0.3F);
    const ByteWeights weights(random(kN * kK), kN, kK);
    const std::vector<float> bias = random(padded(kN));
    ByteRows rows(m, kK);
    quantize_rows_u8(x.data(), kK, m, kK, rows.q.data(), rows.ld(), rows.scales.data(),
                     rows.zeros.data());
    for (const bool plain : {true, false}) {
      const Epilogue epilogue{.bias = plain ? nullptr : bias.data()};
      GuardedOutput twin(m, kN);
      scalar::gemm_u8_i8(rows.view(), m, weights.view(), 0, panels(kN), twin.data(), twin.ld(),
                         epilogue);
      GuardedOutput whole(m, kN);
      gemm_u8_i8(rows.view(), m, weights.view(), 0, panels(kN), whole.data(), whole.ld(), epilogue);
      constexpr int kBegin = 3;
      constexpr int kEnd = 8;
      GuardedOutput part(m, kN);
      gemm_u8_i8(rows.view(), m, weights.view(), kBegin, kEnd, part.data(), part.ld(), epilogue);
      Worst worst;
      for (int i = 0; i < m; ++i) {
        for (int j = 0; j < kN; ++j) {
          const double parts = std::abs(twin.at(i, j)) + std::abs(bias[j]);
          worst.see(whole.at(i, j), twin.at(i, j), plain ? 0.0 : 4 * kRounding * parts, i, j);
          if (j >= kBegin * kPanel && j < kEnd * kPanel) {
            ASSERT_EQ(part.at(i, j), whole.at(i, j)) << m << ": " << i << ", " << j;
          }
        }
      }
      EXPECT_TRUE(worst.within_bounds()) << m << (plain ? " rows, plain" : " rows, bias");
      EXPECT_TRUE(whole.guards_hold());
      EXPECT_TRUE(part.guards_hold(kBegin * kPanel, kEnd * kPanel));
    }
  }
}

TEST_P(BytesTest, LargestSumsDoNotOverflow) {
  for (const int k : {768, 66311, 66312, 200000}) {
    const int limit = byte_limit(k);
    ASSERT_GE(limit, 1);
    for (const int m : {1, 9}) {
      for (const bool below : {false, true}) {
        ByteRows rows(m, k);
        std::fill(rows.scales.begin(), rows.scales.end(), 1.0F);
        std::fill(rows.zeros.begin(), rows.zeros.end(), below ? limit : 0);
        if (!below) std::fill(rows.q.begin(), rows.q.end(), static_cast<std::uint8_t>(limit));
        const ByteWeights weights(std::vector<float>(static_cast<std::size_t>(k), 127.0F), 1, k);
        GuardedOutput c(m, 1);
        gemm_u8_i8(rows.view(), m, weights.view(), 0, 1, c.data(), c.ld(), {});
        const std::int64_t sum = std::int64_t{127} * limit * k;
        for (int i = 0; i < m; ++i) {
          EXPECT_EQ(c.at(i, 0), static_cast<float>(below ? -sum : sum)) << k;
        }
      }
    }
  }
}

TEST_P(BytesTest, GeluIsWithinItsBound) {
  constexpr int kRows = 19;
  constexpr int kInputs = 8;
  constexpr int kOutputs = 37;  // whole panels and a part
  const ByteRows rows = random_rows(kRows, kInputs);
  std::vector<float> w(std::size_t{kOutputs} * kInputs);
  for (float& value : w) value = static_cast<float>(random_integer(-127, 127));
  for (int j = 0; j < kOutputs; ++j) w[static_cast<std::size_t>(j) * kInputs] = -127.0F;
  const ByteWeights weights(w, kOutputs, kInputs);
  // From small results to those whose GELU is 0 or their own.
  for (const float scale : {1e-8F, 1e-5F, 3e-5F, 1e-4F, 1.0F}) {
    RowsU8 view = rows.view();
    const std::vector<float> scales(kRows, scale);
    view.scales = scales.data();
    GuardedOutput plain(kRows, kOutputs);
    GuardedOutput activated(kRows, kOutputs);
    gemm_u8_i8(view, kRows, weights.view(), 0, panels(kOutputs), plain.data(), plain.ld(), {});
    gemm_u8_i8(view, kRows, weights.view(), 0, panels(kOutputs), activated.data(), activated.ld(),
               {.activation = Activation::gelu});
    Worst worst;
    for (int i = 0; i < kRows; ++i) {
      for (int j = 0; j < kOutputs; ++j) {
        const float x = plain.at(i, j);
        worst.see(activated.at(i, j), exact_activation(Activation::gelu, static_cast<double>(x)),
                  static_cast<double>(kCoarseGelu), i, j);
        if (x > 6.0F) {
          ASSERT_EQ(activated.at(i, j), x);
        }
      }
    }
    ASSERT_TRUE(worst.within_bounds()) << scale;
    ASSERT_TRUE(activated.guards_hold());
  }
}

}  // namespace
}  // namespace kobolt::kernels
