#include "kernels/logit_sink.h"

#include <cstdint>

#include "kernel_test.h"
#include "kernels/bf16.h"
#include "kernels/bytes.h"

// What a sink takes of a product, against the same product in memory, its log_sum_exp and top_k.
namespace kobolt::kernels {
namespace {

constexpr int kSinkInputs = 37;

/// What several products, one after the other, leave in sinks.
struct SinkCase {
  int m;
  int n;
  int kept;
  std::vector<int> panel_ends;  ///< of each product
  std::vector<float> first_logits;
};

class SinkedRows {
 public:
  explicit SinkedRows(const SinkCase& sizes)
      : sizes_(sizes),
        lanes_(static_cast<std::size_t>(sizes.m * kPanel)),
        shifts_(static_cast<std::size_t>(sizes.m)),
        sums_(lanes_),
        bounds_(shifts_.size()),
        parts_(shifts_.size()),
        values_(static_cast<std::size_t>(sizes.m * sizes.kept)),
        tokens_(values_.size()) {
    for (int row = 0; row < sizes.m; ++row) {
      const auto at = static_cast<std::size_t>(row * sizes.kept);
      best_.emplace_back(sizes.kept, &values_[at], &tokens_[at]);
    }
  }

  /// product(sink, panel_begin, panel_end) for each part.
  template <class Product>
  void take(const Product& product) {
    int begin = 0;
    for (const int end : sizes_.panel_ends) {
      // As the product counts its columns from 0 of the whole matrix, so does `best`.
      const LogitSink sink{.shifts = shifts_.data(),
                           .sums = sums_.data(),
                           .bounds = bounds_.data(),
                           .best = best_.data(),
                           .first = 1000};
      sink.start(sizes_.m, sizes_.first_logits.data());
      product(sink, begin, end);
      for (std::size_t row = 0; row < parts_.size(); ++row) {
        parts_[row].push_back(sink.part(static_cast<std::ptrdiff_t>(row)));
      }
      begin = end;
    }
  }

  void expect(const std::vector<float>& logits) {
    const int n = sizes_.n;
    std::vector<float> values(static_cast<std::size_t>(std::min(sizes_.kept, n)));
    std::vector<std::int32_t> tokens(values.size());
    for (int row = 0; row < sizes_.m; ++row) {
      const float* whole = logits.data() + static_cast<std::ptrdiff_t>(row) * n;
      const float expected = log_sum_exp(whole, n);
      const float found = log_sum_of_parts(parts_[static_cast<std::size_t>(row)]);
      if (expected == -kInfinity) {
        EXPECT_EQ(found, expected);
      } else {
        EXPECT_NEAR(found, expected, 2e-6F * std::max(1.0F, std::abs(expected))) << "row " << row;
      }
      top_k(whole, n, static_cast<int>(values.size()), values.data(), tokens.data());
      best_[static_cast<std::size_t>(row)].sort();
      const auto first = static_cast<std::size_t>(row * sizes_.kept);
      ASSERT_EQ(best_[static_cast<std::size_t>(row)].size(), static_cast<int>(values.size()));
      for (std::size_t i = 0; i < values.size(); ++i) {
        ASSERT_EQ(values_[first + i], values[i]) << "row " << row << ", place " << i;
        ASSERT_EQ(tokens_[first + i], 1000 + tokens[i]) << "row " << row << ", place " << i;
      }
    }
  }

 private:
  SinkCase sizes_;
  std::size_t lanes_;
  std::vector<float> shifts_;
  std::vector<float> sums_;
  std::vector<float> bounds_;
  std::vector<std::vector<LogitPart>> parts_;  // of each row
  std::vector<float> values_;
  std::vector<std::int32_t> tokens_;
  std::vector<TopKHeap> best_;
};

class LogitSinkTest : public KernelTest {
 protected:
  /// The products of random rows, `deviation` of their logits, with a matrix and a bias.
  void compare(int m, int n, int kept, float deviation, const std::vector<float>& bias) {
    const std::vector<float> x = random(static_cast<std::size_t>(m * kSinkInputs), 0.0F,
                                        deviation / std::sqrt(static_cast<float>(kSinkInputs)));
    const std::vector<float> w = random(static_cast<std::size_t>(n * kSinkInputs));
    SinkCase sizes{.m = m, .n = n, .kept = kept, .panel_ends = {}, .first_logits = {}};
    for (int end = 1; end < panels(n); end += 3) sizes.panel_ends.push_back(end);
    sizes.panel_ends.push_back(panels(n));
    compare_floats(sizes, x, w, bias);
    compare_bf16(sizes, x, w, bias);
    compare_integers(sizes, x, w, bias);
  }

 private:
  template <class Product>
  void compare(SinkCase sizes, const std::vector<float>& bias, const Product& product) {
    std::vector<float> logits(static_cast<std::size_t>(sizes.m * sizes.n));
    product(logits.data(), Epilogue{.bias = bias.data()}, 0, panels(sizes.n));
    const auto from_any = [&](auto shift_of) {
      sizes.first_logits.clear();
      for (int row = 0; row < sizes.m; ++row) sizes.first_logits.push_back(shift_of(row));
      SinkedRows rows(sizes);
      rows.take([&](const LogitSink& sink, int begin, int end) {
        product(nullptr, Epilogue{.bias = bias.data(), .sink = &sink}, begin, end);
      });
      rows.expect(logits);
    };
    from_any([](int) { return -kInfinity; });
    from_any([&](int row) { return logits[static_cast<std::size_t>(row * sizes.n)]; });
  }

  void compare_floats(const SinkCase& sizes, const std::vector<float>& x,
                      const std::vector<float>& w, const std::vector<float>& bias) {
    std::vector<float> packed(packed_f32_size(sizes.n, kSinkInputs));
    pack_f32(w.data(), kSinkInputs, sizes.n, kSinkInputs, packed.data());
    compare(sizes, bias, [&](float* c, const Epilogue& epilogue, int begin, int end) {
      gemm_f32(x.data(), kSinkInputs, sizes.m, {packed.data(), sizes.n, kSinkInputs}, begin, end, c,
               sizes.n, epilogue);
    });
  }

  void compare_bf16(const SinkCase& sizes, const std::vector<float>& x, const std::vector<float>& w,
                    const std::vector<float>& bias) {
    std::vector<std::uint16_t> packed(packed_16_size(sizes.n, kSinkInputs));
    pack_bf16(w.data(), kSinkInputs, sizes.n, kSinkInputs, packed.data());
    const int ld = 2 * pairs(kSinkInputs);
    std::vector<std::uint16_t> rows(static_cast<std::size_t>(sizes.m * ld));
    round_rows_bf16(x.data(), kSinkInputs, sizes.m, kSinkInputs, rows.data(), ld);
    compare(sizes, bias, [&](float* c, const Epilogue& epilogue, int begin, int end) {
      gemm_bf16_bf16(rows.data(), ld, sizes.m, {packed.data(), sizes.n, kSinkInputs}, begin, end, c,
                     sizes.n, epilogue);
    });
  }

  void compare_integers(const SinkCase& sizes, const std::vector<float>& x,
                        const std::vector<float>& w, const std::vector<float>& bias) {
    std::vector<std::int8_t> packed(packed_i8_size(sizes.n, kSinkInputs));
    std::vector<float> scales(static_cast<std::size_t>(padded(sizes.n)));
    pack_i8(w.data(), kSinkInputs, sizes.n, kSinkInputs, packed.data(), scales.data());
    PackedI8 weights{
        .data = packed.data(), .scales = scales.data(), .n = sizes.n, .k = kSinkInputs};
    std::vector<std::int32_t> column_sums(scales.size());
    sum_columns(weights, column_sums.data());
    weights.sums = column_sums.data();
    const int ld = 4 * quads(kSinkInputs);
    const auto rows = static_cast<std::size_t>(sizes.m);
    std::vector<std::uint8_t> q(rows * static_cast<std::size_t>(ld));
    std::vector<float> row_scales(rows);
    std::vector<std::int32_t> zeros(rows);
    quantize_rows_u8(x.data(), kSinkInputs, sizes.m, kSinkInputs, q.data(), ld, row_scales.data(),
                     zeros.data());
    compare(sizes, bias, [&](float* c, const Epilogue& epilogue, int begin, int end) {
      gemm_u8_i8({q.data(), ld, row_scales.data(), zeros.data()}, sizes.m, weights, begin, end, c,
                 sizes.n, epilogue);
    });
  }
};
KOBOLT_FOR_EACH_INSTRUCTION_SET(LogitSinkTest);

TEST_P(LogitSinkTest, TakesWhatTheProductWouldHaveLeft) {
  for (const int n : {1, 7, 16, 33, 150}) {
    const std::vector<float> bias = random(static_cast<std::size_t>(padded(n)));
    for (const int m : {1, 3, 8, 11, 67}) {
      for (const int kept : {1, 8, 40}) {
        SCOPED_TRACE(testing::Message() << "m " << m << ", n " << n << ", kept " << kept);
        compare(m, n, kept, 4.0F, bias);
      }
    }
  }
}

/// Logits too far apart for one shift: larger ones come later, and below some of them nothing
/// counts.
TEST_P(LogitSinkTest, ReplacesShiftsThatAreFarBelow) {
  constexpr int kN = 150;
  for (const float step : {1.3F, -1.3F, 900.0F}) {
    std::vector<float> bias(static_cast<std::size_t>(padded(kN)));
    for (std::size_t i = 0; i < bias.size(); ++i) {
      bias[i] = step > 100.0F ? (i % 41 == 5 ? step : -step) : step * static_cast<float>(i);
    }
    SCOPED_TRACE(testing::Message() << "step " << step);
    compare(13, kN, 8, 4.0F, bias);
  }
}

TEST_P(LogitSinkTest, TokensThatAreRuledOutCountNothing) {
  constexpr int kN = 70;
  std::vector<float> bias(static_cast<std::size_t>(padded(kN)), 0.0F);
  std::fill(bias.begin(), bias.begin() + 20, -kInfinity);  // all of the first panel
  bias[37] = -kInfinity;
  compare(9, kN, 8, 4.0F, bias);
  std::fill(bias.begin(), bias.end(), -kInfinity);
  compare(9, kN, 8, 4.0F, bias);
}

}  // namespace
}  // namespace kobolt::kernels
