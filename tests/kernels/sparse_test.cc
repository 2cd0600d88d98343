#include "kernels/sparse.h"

#include <cstdint>
#include <cstring>
#include <string>

#include "kernel_test.h"
#include "kernels/bf16.h"
#include "kernels/scalar.h"

// A product of a sparse matrix must equal that of the same matrix stored dense, to the bit: zeros
// that are left out add nothing, and what is kept is added in the same order.
namespace kobolt::kernels {
namespace {

struct Shape {
  int n = 0;
  int k = 0;
};

/// Which weights are zero. Panels differ: with `mixed`, the first is empty and the second full.
enum class Zeros : std::uint8_t { none, all, single, whole_blocks, mixed };
constexpr Zeros kZeros[] = {Zeros::none, Zeros::all, Zeros::single, Zeros::whole_blocks,
                            Zeros::mixed};

class SparseTest : public KernelTest {
 protected:
  std::vector<float> weights(const Shape& shape, Zeros zeros) {
    std::vector<float> w =
        random(static_cast<std::size_t>(shape.n) * static_cast<std::size_t>(shape.k));
    for (int panel = 0; panel < panels(shape.n); ++panel) {
      for (int l = 0; l < shape.k; ++l) {
        const bool block = random_integer(0, 1) == 0;
        for (int row = panel * kPanel; row < std::min(shape.n, (panel + 1) * kPanel); ++row) {
          float& value = w[static_cast<std::size_t>(row) * static_cast<std::size_t>(shape.k) +
                           static_cast<std::size_t>(l)];
          const bool single = random_integer(0, 1) == 0;
          const bool zero = zeros == Zeros::all || (zeros == Zeros::single && single) ||
                            (zeros == Zeros::whole_blocks && block) ||
                            (zeros == Zeros::mixed && (panel == 0 || (panel > 1 && single)));
          if (zero) value = single ? 0.0F : -0.0F;
        }
      }
    }
    return w;
  }

  template <class Format>
  void expect_products_of_the_dense_matrix(SparseForm form);
  template <class Format>
  void expect_product(SparseForm form, const std::vector<float>& w, const Shape& shape, int m);
};
KOBOLT_FOR_EACH_INSTRUCTION_SET(SparseTest);

template <class Stored>
std::vector<std::byte> packed(SparseForm form, const std::vector<float>& w, const Shape& shape,
                              const std::vector<Stored>& dense) {
  const SparseSizes sizes = sparse_sizes(w.data(), shape.k, shape.n, shape.k, sizeof(Stored));
  std::vector<std::byte> out(form == SparseForm::blocks ? sizes.blocks : sizes.values,
                             std::byte{0xAA});
  pack_sparse(form, w.data(), shape.k, shape.n, shape.k, dense.data(), out.data());
  return out;
}

/// Activations and the products of one number format; floats here, int8 below.
template <class PackedType, auto kPackDense, auto kDense, auto kSparse, auto kTwin>
struct Floats {
  using Packed = PackedType;
  using Stored = StoredOf<Packed>;
  static std::vector<Stored> pack(const std::vector<float>& w, const Shape& shape,
                                  std::vector<float>& /*scales*/) {
    std::vector<Stored> dense(packed_f32_size(shape.n, shape.k));
    kPackDense(w.data(), shape.k, shape.n, shape.k, dense.data());
    return dense;
  }
  static Packed view(const std::vector<Stored>& dense, const Shape& shape,
                     const std::vector<float>& /*scales*/) {
    return {dense.data(), shape.n, shape.k};
  }
  struct Rows {
    Rows(const std::vector<float>& x, int count, int columns) : a(x), m(count), k(columns) {}
    const std::vector<float>& a;
    int m;
    int k;
  };
  template <class Weight>
  static void multiply(auto gemm, const Rows& rows, const Weight& w, int begin, int end,
                       GuardedOutput& c, const Epilogue& epilogue) {
    gemm(rows.a.data(), rows.k, rows.m, w, begin, end, c.data(), c.ld(), epilogue);
  }
  static constexpr auto kDenseGemm = kDense;
  static constexpr auto kSparseGemm = kSparse;
  static constexpr auto kTwinGemm = kTwin;
  static constexpr bool kExact = false;
};
using F32 = Floats<PackedF32, pack_f32, gemm_f32, gemm_sparse_f32, scalar::gemm_sparse_f32>;
using F16 = Floats<PackedF16, pack_f16, gemm_f16, gemm_sparse_f16, scalar::gemm_sparse_f16>;
using BF16 = Floats<PackedBF16, pack_bf16, gemm_bf16, gemm_sparse_bf16, scalar::gemm_sparse_bf16>;

/// The same weights with rows of bfloat16.
struct BF16Rows : BF16 {
  struct Rows {
    Rows(const std::vector<float>& x, int count, int k)
        : lda(2 * pairs(k)),
          m(count),
          a(static_cast<std::size_t>(m) * static_cast<std::size_t>(lda)) {
      round_rows_bf16(x.data(), k, m, k, a.data(), lda);
    }
    std::ptrdiff_t lda;
    int m;
    std::vector<std::uint16_t> a;
  };
  template <class Weight>
  static void multiply(auto gemm, const Rows& rows, const Weight& w, int begin, int end,
                       GuardedOutput& c, const Epilogue& epilogue) {
    gemm(rows.a.data(), rows.lda, rows.m, w, begin, end, c.data(), c.ld(), epilogue);
  }
  static constexpr auto kDenseGemm = gemm_bf16_bf16;
  static constexpr auto kSparseGemm = gemm_sparse_bf16_bf16;
  static constexpr auto kTwinGemm = scalar::gemm_sparse_bf16_bf16;
};

struct I8 {
  using Packed = PackedI8;
  using Stored = std::int8_t;
  static std::vector<Stored> pack(const std::vector<float>& w, const Shape& shape,
                                  std::vector<float>& scales) {
    std::vector<Stored> dense(packed_i8_size(shape.n, shape.k));
    scales.resize(static_cast<std::size_t>(padded(shape.n)));
    pack_i8(w.data(), shape.k, shape.n, shape.k, dense.data(), scales.data());
    return dense;
  }
  static Packed view(const std::vector<Stored>& dense, const Shape& shape,
                     const std::vector<float>& scales) {
    return {dense.data(), scales.data(), shape.n, shape.k};
  }
  struct Rows {
    Rows(const std::vector<float>& x, int count, int k)
        : lda(2 * pairs(k)),
          m(count),
          a(static_cast<std::size_t>(m) * static_cast<std::size_t>(lda)),
          scales(static_cast<std::size_t>(m)) {
      quantize_rows(x.data(), k, m, k, a.data(), lda, scales.data());
    }
    std::ptrdiff_t lda;
    int m;
    std::vector<std::int16_t> a;
    std::vector<float> scales;
  };
  template <class Weight>
  static void multiply(auto gemm, const Rows& rows, const Weight& w, int begin, int end,
                       GuardedOutput& c, const Epilogue& epilogue) {
    gemm(rows.a.data(), rows.lda, rows.scales.data(), rows.m, w, begin, end, c.data(), c.ld(),
         epilogue);
  }
  static constexpr auto kDenseGemm = gemm_i8;
  static constexpr auto kSparseGemm = gemm_sparse_i8;
  static constexpr auto kTwinGemm = scalar::gemm_sparse_i8;
  static constexpr bool kExact = true;
};

/// The same weights with rows of bytes.
struct U8I8 : I8 {
  struct Rows {
    Rows(const std::vector<float>& x, int count, int k)
        : ld(4 * quads(k)),
          m(count),
          a(static_cast<std::size_t>(m) * static_cast<std::size_t>(ld)),
          scales(static_cast<std::size_t>(m)),
          zeros(static_cast<std::size_t>(m)) {
      quantize_rows_u8(x.data(), k, m, k, a.data(), ld, scales.data(), zeros.data());
    }
    std::ptrdiff_t ld;
    int m;
    std::vector<std::uint8_t> a;
    std::vector<float> scales;
    std::vector<std::int32_t> zeros;
  };
  template <class Weight>
  static void multiply(auto gemm, const Rows& rows, const Weight& w, int begin, int end,
                       GuardedOutput& c, const Epilogue& epilogue) {
    const RowsU8 view{rows.a.data(), rows.ld, rows.scales.data(), rows.zeros.data()};
    gemm(view, rows.m, w, begin, end, c.data(), c.ld(), epilogue);
  }
  static void dense_gemm(const RowsU8& a, int m, PackedI8 w, int panel_begin, int panel_end,
                         float* c, std::ptrdiff_t ldc, const Epilogue& epilogue) {
    std::vector<std::int32_t> sums(static_cast<std::size_t>(padded(w.n)));
    sum_columns(w, sums.data());
    w.sums = sums.data();
    gemm_u8_i8(a, m, w, panel_begin, panel_end, c, ldc, epilogue);
  }
  static constexpr auto kDenseGemm = dense_gemm;
  static constexpr auto kSparseGemm = gemm_sparse_u8_i8;
  static constexpr auto kTwinGemm = scalar::gemm_sparse_u8_i8;
};

template <class Format>
void SparseTest::expect_product(SparseForm form, const std::vector<float>& w, const Shape& shape,
                                int m) {
  const auto [n, k] = shape;
  const std::string where =
      "m " + std::to_string(m) + ", n " + std::to_string(n) + ", k " + std::to_string(k);
  std::vector<float> scales;
  const auto dense = Format::pack(w, shape, scales);
  const auto view = Format::view(dense, shape, scales);
  const std::vector<std::byte> stored = packed(form, w, shape, dense);
  ASSERT_EQ(check_sparse(form, sizeof(typename Format::Stored), n, k, stored), "") << where;
  const auto sparse = view_sparse(form, view, stored.data());

  const std::vector<float> x =
      random(static_cast<std::size_t>(m) * static_cast<std::size_t>(k), 0.1F);
  const typename Format::Rows rows(x, m, k);
  const std::vector<float> bias = random(static_cast<std::size_t>(padded(n)));
  const Epilogue epilogue{.bias = bias.data(), .activation = Activation::relu};
  GuardedOutput expected(m, n);
  GuardedOutput found(m, n);
  GuardedOutput twin(m, n);
  Format::multiply(Format::kDenseGemm, rows, view, 0, panels(n), expected, epilogue);
  Format::multiply(Format::kSparseGemm, rows, sparse, 0, panels(n), found, epilogue);
  Format::multiply(Format::kTwinGemm, rows, sparse, 0, panels(n), twin, epilogue);
  bool equal = true;
  Worst worst;
  for (int i = 0; i < m; ++i) {
    for (int j = 0; j < n; ++j) {
      equal = equal && found.at(i, j) == expected.at(i, j);
      double magnitude = std::abs(bias[static_cast<std::size_t>(j)]);
      for (int l = 0; l < k; ++l) {
        magnitude += std::abs(static_cast<double>(x[static_cast<std::size_t>(i * k + l)]) *
                              w[static_cast<std::size_t>(j * k + l)]);
      }
      // The twin of int8 differs only in the order of the last two roundings.
      const double terms = Format::kExact ? 4 : 2 * (k + 2);
      worst.see(found.at(i, j), twin.at(i, j), terms * kRounding * magnitude, i, j);
    }
  }
  ASSERT_TRUE(equal) << where;
  ASSERT_TRUE(worst.within_bounds()) << where;
  ASSERT_TRUE(found.guards_hold()) << where;

  if (panels(n) < 3) return;
  GuardedOutput part(m, n);
  Format::multiply(Format::kSparseGemm, rows, sparse, 1, 3, part, epilogue);
  ASSERT_TRUE(part.guards_hold(kPanel, std::min(n, 3 * kPanel))) << where;
  for (int i = 0; i < m; ++i) {
    for (int j = kPanel; j < std::min(n, 3 * kPanel); ++j) {
      ASSERT_EQ(part.at(i, j), expected.at(i, j)) << where;
    }
  }
}

// Sanitized builds are an order of magnitude slower: they take a sample. Each path of the kernels
// is in it: part of a mask's byte, more than one slice, one tile, several tiles, several blocks.
#if defined(__SANITIZE_ADDRESS__)
constexpr int kInputs[] = {0, 1, 33, 530};
constexpr int kRows[] = {1, 6, 7, 49};
#else
constexpr int kInputs[] = {0, 1, 7, 8, 33, 64, 255, 530, 1100};
constexpr int kRows[] = {1, 2, 5, 6, 7, 13, 25, 49};
#endif

template <class Format>
void SparseTest::expect_products_of_the_dense_matrix(SparseForm form) {
  for (const int k : kInputs) {
    for (const int n : {1, 16, 17, 70}) {
      for (const Zeros zeros : kZeros) {
        const Shape shape{n, k};
        const std::vector<float> w = weights(shape, zeros);
        for (const int m : kRows) {
          expect_product<Format>(form, w, shape, m);
          if (HasFatalFailure()) return;
        }
      }
    }
  }
}

TEST_P(SparseTest, BlocksOfF32EqualTheDenseMatrix) {
  expect_products_of_the_dense_matrix<F32>(SparseForm::blocks);
}
TEST_P(SparseTest, BlocksOfF16EqualTheDenseMatrix) {
  expect_products_of_the_dense_matrix<F16>(SparseForm::blocks);
}
TEST_P(SparseTest, BlocksOfBF16EqualTheDenseMatrix) {
  expect_products_of_the_dense_matrix<BF16>(SparseForm::blocks);
}
TEST_P(SparseTest, BlocksOfBF16EqualTheDenseMatrixForRowsOfBF16) {
  expect_products_of_the_dense_matrix<BF16Rows>(SparseForm::blocks);
}
TEST_P(SparseTest, ValuesOfBF16EqualTheDenseMatrixForRowsOfBF16) {
  expect_products_of_the_dense_matrix<BF16Rows>(SparseForm::values);
}
TEST_P(SparseTest, BlocksOfI8EqualTheDenseMatrix) {
  expect_products_of_the_dense_matrix<I8>(SparseForm::blocks);
}
TEST_P(SparseTest, BlocksOfI8EqualTheDenseMatrixForBytes) {
  expect_products_of_the_dense_matrix<U8I8>(SparseForm::blocks);
}
TEST_P(SparseTest, ValuesOfI8EqualTheDenseMatrixForBytes) {
  expect_products_of_the_dense_matrix<U8I8>(SparseForm::values);
}
TEST_P(SparseTest, ValuesOfF32EqualTheDenseMatrix) {
  expect_products_of_the_dense_matrix<F32>(SparseForm::values);
}
TEST_P(SparseTest, ValuesOfF16EqualTheDenseMatrix) {
  expect_products_of_the_dense_matrix<F16>(SparseForm::values);
}
TEST_P(SparseTest, ValuesOfBF16EqualTheDenseMatrix) {
  expect_products_of_the_dense_matrix<BF16>(SparseForm::values);
}
TEST_P(SparseTest, ValuesOfI8EqualTheDenseMatrix) {
  expect_products_of_the_dense_matrix<I8>(SparseForm::values);
}

TEST_P(SparseTest, NaNIsKept) {
  const Shape shape{16, 20};
  std::vector<float> w = weights(shape, Zeros::all);
  w[3 * 20 + 5] = kNan;
  std::vector<float> none;
  const std::vector<float> dense = F32::pack(w, shape, none);
  const std::vector<float> x(20, 1.0F);
  for (const SparseForm form : {SparseForm::blocks, SparseForm::values}) {
    const std::vector<std::byte> stored = packed(form, w, shape, dense);
    std::vector<float> c(16);
    gemm_sparse_f32(x.data(), 20, 1,
                    view_sparse(form, F32::view(dense, shape, none), stored.data()), 0, 1, c.data(),
                    16, {});
    for (int j = 0; j < 16; ++j) EXPECT_EQ(std::isnan(c[static_cast<std::size_t>(j)]), j == 3);
  }
}

// What an attacker would write: each lie must be found before a product reads anything.
class SparseCheck : public testing::TestWithParam<SparseForm> {
 protected:
  SparseCheck() {
    const std::vector<float> w = {1, 0, 2, 0, 3, 0, 0, 4, 5, 0};  // [2, 5]
    const Shape shape{2, 5};
    std::vector<float> none;
    stored_ = packed(GetParam(), w, shape, F32::pack(w, shape, none));
  }
  [[nodiscard]] std::string_view check() const {
    return check_sparse(GetParam(), sizeof(float), 2, 5, stored_);
  }
  std::vector<std::byte> stored_;
};
INSTANTIATE_TEST_SUITE_P(Forms, SparseCheck,
                         testing::Values(SparseForm::blocks, SparseForm::values));

TEST_P(SparseCheck, PassesWhatPackingWrites) {
  EXPECT_EQ(check(), "");
  const std::uint64_t kept = GetParam() == SparseForm::blocks ? 4 * kPanel : 5;
  EXPECT_EQ(kept_values(GetParam(), sizeof(float), 2, 5, stored_), kept);
}

TEST_P(SparseCheck, FindsEveryChangedBitBeforeTheValuesAndInTheTail) {
  const SparsePlaces places = sparse_places(GetParam(), sizeof(float), 2, 5);
  for (std::size_t i = 0; i < stored_.size(); ++i) {
    if (i >= places.values && i < stored_.size() - places.tail) continue;
    for (unsigned bit = 0; bit < 8; ++bit) {
      stored_[i] ^= static_cast<std::byte>(1U << bit);
      EXPECT_NE(check(), "") << "byte " << i << " bit " << bit;
      stored_[i] ^= static_cast<std::byte>(1U << bit);
    }
  }
}

TEST_P(SparseCheck, FindsEveryOtherLength) {
  const std::vector<std::byte> whole = stored_;
  for (std::size_t size = 0; size < whole.size(); ++size) {
    stored_.assign(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
    EXPECT_NE(check(), "") << size;
  }
  stored_ = whole;
  stored_.resize(whole.size() + 4);
  EXPECT_NE(check(), "");
}

TEST_P(SparseCheck, FindsOtherShapes) {
  EXPECT_NE(check_sparse(GetParam(), sizeof(float), 0x7FFFFFFF, 0x7FFFFFFF, stored_), "");
  EXPECT_NE(check_sparse(GetParam(), sizeof(float), 17, 5, stored_), "");
  EXPECT_NE(check_sparse(GetParam(), sizeof(std::int8_t), 2, 5, stored_), "");
}

}  // namespace
}  // namespace kobolt::kernels
