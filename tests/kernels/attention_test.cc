#include <cstdint>
#include <numeric>

#include "kernel_test.h"

namespace kobolt::kernels {
namespace {

/// Attention of one query in double precision, with bounds on fp32's errors.
class ExactAttention {
 public:
  /// Row p of keys and values is at rows[p] * ld.
  ExactAttention(const float* q, const float* keys, const float* values, std::ptrdiff_t ld,
                 const std::vector<std::int32_t>& rows, int head_dim, double scale) {
    std::vector<double> weights;
    double score_error = 0.0;
    for (const std::int32_t row : rows) {
      double score = 0.0;
      double magnitude = 0.0;
      for (int d = 0; d < head_dim; ++d) {
        const double term = static_cast<double>(q[d]) * static_cast<double>(keys[row * ld + d]);
        score += term;
        magnitude += std::abs(term);
      }
      weights.push_back(score * scale);
      score_error = std::max(score_error, (head_dim + 4) * kRounding * magnitude * scale);
    }
    const double most = weights.empty() ? 0.0 : *std::max_element(weights.begin(), weights.end());
    double sum = 0.0;
    for (double& weight : weights) sum += weight = std::exp(weight - most);
    const auto length = static_cast<double>(rows.size());
    // Scores are in an exponent: their absolute error is the weights' relative one, twice because
    // of the sum that divides. exp itself has 2e-7; sums round as they go.
    const double relative = 2 * score_error + 6e-7 + (length + 4) * kRounding;
    for (int d = 0; d < head_dim; ++d) {
      double value = 0.0;
      double magnitude = 0.0;
      for (std::size_t p = 0; p < rows.size(); ++p) {
        const double term = weights[p] / sum * static_cast<double>(values[rows[p] * ld + d]);
        value += term;
        magnitude += std::abs(term);
      }
      values_.push_back(value);
      bounds_.push_back(relative * magnitude + std::numeric_limits<float>::min() * length);
    }
  }

  void compare(const float* found, int row, Worst& worst) const {
    for (std::size_t d = 0; d < values_.size(); ++d) {
      worst.see(found[d], values_[d], bounds_[d], row, static_cast<std::ptrdiff_t>(d));
    }
  }

 private:
  std::vector<double> values_;
  std::vector<double> bounds_;
};

class AttentionTest : public KernelTest {
 protected:
  void expect_attention(int m, int length, int head_dim) {
    const std::ptrdiff_t ld = head_dim + 1;  // of q, keys and values: a head among others
    const std::vector<float> q = random(static_cast<std::size_t>(m * ld));
    const std::vector<float> keys = random(static_cast<std::size_t>(length * ld));
    const std::vector<float> values = random(static_cast<std::size_t>(length * ld));
    std::vector<float> packed_keys(packed_f32_size(length, head_dim));
    std::vector<float> packed_values(packed_f32_size(head_dim, length));
    pack_f32(keys.data(), ld, length, head_dim, packed_keys.data());
    pack_f32_transposed(values.data(), ld, head_dim, length, packed_values.data());
    const float scale = 1.0F / std::sqrt(static_cast<float>(head_dim));
    std::vector<float> scratch(attention_scratch(m, length) + 1, kGuard);
    GuardedOutput out(m, head_dim);
    attention(q.data(), ld, m, {packed_keys.data(), length, head_dim},
              {packed_values.data(), head_dim, length}, scale, out.data(), out.ld(),
              scratch.data());
    std::vector<std::int32_t> rows(static_cast<std::size_t>(length));
    std::iota(rows.begin(), rows.end(), 0);
    Worst worst;
    for (int i = 0; i < m; ++i) {
      const ExactAttention exact(&q[static_cast<std::size_t>(i * ld)], keys.data(), values.data(),
                                 ld, rows, head_dim, scale);
      exact.compare(&out.at(i, 0), i, worst);
    }
    ASSERT_TRUE(worst.within_bounds())
        << "m " << m << ", length " << length << ", head_dim " << head_dim;
    ASSERT_TRUE(out.guards_hold());
    ASSERT_EQ(scratch.back(), kGuard);
  }
};
KOBOLT_FOR_EACH_INSTRUCTION_SET(AttentionTest);

TEST_P(AttentionTest, EveryLengthMatchesDoublePrecision) {
  for (const int head_dim : {4, 8, 48, 64}) {
    for (int length = 1; length <= 70; ++length) expect_attention(1 + length % 7, length, head_dim);
  }
}

TEST_P(AttentionTest, EveryCountOfRowsMatchesDoublePrecision) {
  for (const int head_dim : {4, 48}) {
    for (int m = 1; m <= 30; ++m) {
      for (const int length : {1, 16, 37}) expect_attention(m, length, head_dim);
    }
  }
  for (const int m : {1, 4, 24, 25, 60}) expect_attention(m, 513, 48);
}

TEST_P(AttentionTest, NoKeysGiveZeros) {
  for (const int m : {1, 7, 30}) {
    const std::vector<float> q = random(static_cast<std::size_t>(m) * 8);
    GuardedOutput out(m, 8);
    attention(q.data(), 8, m, {nullptr, 0, 8}, {nullptr, 8, 0}, 0.5F, out.data(), out.ld(),
              nullptr);
    for (int i = 0; i < m; ++i) {
      for (int d = 0; d < 8; ++d) ASSERT_EQ(out.at(i, d), 0.0F);
    }
    EXPECT_TRUE(out.guards_hold());
  }
}

/// Scores so far apart that all of the weight is on one key.
TEST_P(AttentionTest, LargeScoresPickOneKey) {
  const std::vector<float> q = {100.0F, 0, 0, 0};
  const std::vector<float> keys = {1, 0, 0, 0, 9, 0, 0, 0, -9, 0, 0, 0};  // [3, 4]
  const std::vector<float> values = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
  std::vector<float> packed_keys(packed_f32_size(3, 4));
  std::vector<float> packed_values(packed_f32_size(4, 3));
  pack_f32(keys.data(), 4, 3, 4, packed_keys.data());
  pack_f32_transposed(values.data(), 4, 4, 3, packed_values.data());
  std::vector<float> scratch(attention_scratch(1, 3));
  std::vector<float> out(4);
  attention(q.data(), 4, 1, {packed_keys.data(), 3, 4}, {packed_values.data(), 4, 3}, 1.0F,
            out.data(), 4, scratch.data());
  EXPECT_EQ(out, (std::vector<float>{5, 6, 7, 8}));
}

TEST_P(AttentionTest, StepOverPermutedRowsMatchesDoublePrecision) {
  for (const int head_dim : {4, 8, 13, 48, 64}) {
    for (const int heads : {1, 3}) {
      for (const int length : {1, 2, 7, 8, 9, 33, 70, 513}) {
        const int width = heads * head_dim;
        const std::ptrdiff_t ld = width + 1;
        const int stored = length + 5;  // rows of other beams between
        const std::vector<float> q = random(static_cast<std::size_t>(width));
        const std::vector<float> keys = random(static_cast<std::size_t>(stored * ld));
        const std::vector<float> values = random(static_cast<std::size_t>(stored * ld));
        std::vector<std::int32_t> rows(static_cast<std::size_t>(length));
        for (int p = 0; p < length; ++p) rows[static_cast<std::size_t>(p)] = (p * 7 + 3) % stored;
        const float scale = 1.0F / std::sqrt(static_cast<float>(head_dim));
        std::vector<float> scratch(static_cast<std::size_t>(heads * length) + 1, kGuard);
        GuardedOutput out(1, width);
        attention_step(q.data(), keys.data(), values.data(), ld, rows.data(), length, heads,
                       head_dim, scale, out.data(), scratch.data());
        Worst worst;
        for (int h = 0; h < heads; ++h) {
          const std::ptrdiff_t at = static_cast<std::ptrdiff_t>(h) * head_dim;
          const ExactAttention exact(q.data() + at, keys.data() + at, values.data() + at, ld, rows,
                                     head_dim, scale);
          exact.compare(&out.at(0, h * head_dim), h, worst);
        }
        ASSERT_TRUE(worst.within_bounds())
            << "heads " << heads << ", head_dim " << head_dim << ", length " << length;
        ASSERT_TRUE(out.guards_hold());
        ASSERT_EQ(scratch.back(), kGuard);
      }
    }
  }
}

TEST_P(AttentionTest, StepOverNothingGivesZeros) {
  const std::vector<float> q = random(8);
  GuardedOutput out(1, 8);
  attention_step(q.data(), nullptr, nullptr, 8, nullptr, 0, 2, 4, 0.5F, out.data(), nullptr);
  for (int d = 0; d < 8; ++d) EXPECT_EQ(out.at(0, d), 0.0F);
  EXPECT_TRUE(out.guards_hold());
}

}  // namespace
}  // namespace kobolt::kernels
