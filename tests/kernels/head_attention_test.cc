#include "kernels/head_attention.h"

#include <cmath>
#include <cstdint>
#include <vector>

#include "kernel_test.h"

namespace kobolt::kernels {
namespace {

/// Attention in double precision.
class ExactHead {
 public:
  ExactHead(const std::vector<float>& q, const std::vector<float>& k, const std::vector<float>& v,
            std::ptrdiff_t ld, int length, int head_dim, double scale)
      : q_(q), k_(k), v_(v), ld_(ld), length_(length), head_dim_(head_dim), scale_(scale) {}

  [[nodiscard]] std::vector<double> output(int row) const {
    std::vector<double> weights;
    double most = -1e300;
    for (int p = 0; p < length_; ++p) {
      double score = 0.0;
      for (int d = 0; d < head_dim_; ++d) score += at(q_, row, d) * at(k_, p, d);
      weights.push_back(score * scale_);
      most = std::max(most, weights.back());
    }
    double sum = 0.0;
    for (double& weight : weights) sum += weight = std::exp(weight - most);
    std::vector<double> out(static_cast<std::size_t>(head_dim_));
    for (int d = 0; d < head_dim_; ++d) {
      for (int p = 0; p < length_; ++p) {
        out[static_cast<std::size_t>(d)] +=
            weights[static_cast<std::size_t>(p)] / sum * at(v_, p, d);
      }
    }
    return out;
  }

 private:
  [[nodiscard]] double at(const std::vector<float>& x, int row, int d) const {
    return x[static_cast<std::size_t>(row * ld_ + d)];
  }
  const std::vector<float>& q_;
  const std::vector<float>& k_;
  const std::vector<float>& v_;
  std::ptrdiff_t ld_;
  int length_;
  int head_dim_;
  double scale_;
};

class HeadAttentionTest : public KernelTest {
 protected:
  /// Every output within `bound` of double precision. Queries and keys are multiplied by
  /// `sharpness`.
  void expect_close(int length, int head_dim, double bound, float sharpness = 1.0F) {
    const std::ptrdiff_t ld = head_dim + 1;  // a head among others
    const auto size = static_cast<std::size_t>(length * ld);
    std::vector<float> q = random(size);
    std::vector<float> k = random(size);
    const std::vector<float> v = random(size);
    for (std::size_t i = 0; i < size; ++i) {
      q[i] *= sharpness;
      k[i] *= sharpness;
    }
    const float scale = 1.0F / std::sqrt(static_cast<float>(head_dim));
    std::vector<float> scratch(head_attention_i16_scratch(length, head_dim) + 1, kGuard);
    GuardedOutput out(length, head_dim);
    head_attention_i16(q.data(), k.data(), v.data(), ld, length, head_dim, scale, out.data(),
                       out.ld(), scratch.data());
    const ExactHead exact(q, k, v, ld, length, head_dim, static_cast<double>(scale));
    Worst worst;
    for (int i = 0; i < length; ++i) {
      const std::vector<double> wanted = exact.output(i);
      for (int d = 0; d < head_dim; ++d) {
        worst.see(out.at(i, d), wanted[static_cast<std::size_t>(d)], bound, i, d);
      }
    }
    ASSERT_TRUE(worst.within_bounds()) << "length " << length << ", head_dim " << head_dim;
    ASSERT_TRUE(out.guards_hold());
    ASSERT_EQ(scratch.back(), kGuard);
  }
};
KOBOLT_FOR_EACH_INSTRUCTION_SET(HeadAttentionTest);

TEST_P(HeadAttentionTest, EveryLengthIsCloseToDoublePrecision) {
  // Values of 11 bits are within 1/2046, scores and weights closer to that.
  for (const int head_dim : {1, 4, 7, 33, 48, 64}) {
    for (int length = 1; length <= 40; ++length) expect_close(length, head_dim, 2e-3);
  }
  for (const int length : {63, 64, 65, 200, 513}) expect_close(length, 48, 2e-3);
}

TEST_P(HeadAttentionTest, SharpHeadsToo) {
  // Scores are off by up to sqrt(48) * 2 * 3 * 3 / 4094 = 0.03, weights by up to twice that part.
  for (const int length : {5, 33, 130}) expect_close(length, 48, 6e-2, 3.0F);
}

TEST_P(HeadAttentionTest, OneStrongPositionDoesNotEraseTheOthers) {
  // The first position takes 0.9 of all weight; the others, 1/4600 of it each, hold the rest.
  constexpr int kLength = 512;
  constexpr int kHeadDim = 16;
  std::vector<float> q(kLength * kHeadDim, 0.0F);
  std::vector<float> k(kLength * kHeadDim, 0.0F);
  std::vector<float> v(kLength * kHeadDim, 1.0F);
  for (std::size_t p = 0; p < kLength; ++p) q[p * kHeadDim] = 1.0F;
  k[0] = std::log(9.0F * (kLength - 1));
  for (std::size_t d = 0; d < kHeadDim; ++d) v[d] = 0.0F;
  std::vector<float> scratch(head_attention_i16_scratch(kLength, kHeadDim));
  GuardedOutput out(kLength, kHeadDim);
  head_attention_i16(q.data(), k.data(), v.data(), kHeadDim, kLength, kHeadDim, 1.0F, out.data(),
                     out.ld(), scratch.data());
  for (int i = 0; i < kLength; ++i) ASSERT_NEAR(out.at(i, kHeadDim - 1), 0.1F, 2e-3F);
}

TEST_P(HeadAttentionTest, FullSumsDoNotOverflow) {
  // All weights equal and all values at their limit: the largest sums there can be.
  for (const int length : {64, 65, 66, 512, 4096}) {
    constexpr int kHeadDim = 3;
    const auto size = static_cast<std::size_t>(length) * kHeadDim;
    const std::vector<float> zeros(size, 0.0F);
    const std::vector<float> ones(size, 1.0F);
    std::vector<float> scratch(head_attention_i16_scratch(length, kHeadDim));
    GuardedOutput out(length, kHeadDim);
    head_attention_i16(zeros.data(), zeros.data(), ones.data(), kHeadDim, length, kHeadDim, 1.0F,
                       out.data(), out.ld(), scratch.data());
    for (int i = 0; i < length; ++i) ASSERT_NEAR(out.at(i, 0), 1.0F, 1e-6F) << length;
  }
}

}  // namespace
}  // namespace kobolt::kernels
