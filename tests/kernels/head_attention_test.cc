#include "kernels/head_attention.h"

#include <cmath>
#include <cstdint>
#include <vector>

#include "kernel_test.h"
#include "kernels/kernel_table.h"

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

/// One of the two kernels, which differ in how much they round.
struct Kernel {
  const char* name;
  decltype(&head_attention_i16) attend;
  decltype(&head_attention_i16_scratch) scratch;
  double bound;        ///< for usual heads
  double sharp_bound;  ///< for heads with scores 9 times as large
};
constexpr Kernel kKernels[] = {
    // Values of 11 bits are within 1/2046, scores and weights closer to that; sharp scores are off
    // by up to sqrt(48) * 2 * 3 * 3 / 4094 = 0.03, weights by up to twice that part.
    {"int16", head_attention_i16, head_attention_i16_scratch, 2e-3, 6e-2},
    // Values of 8 bits are within a 254th of the largest, which is 4, and so are weights; sharp
    // scores are off by 16 times as much as those of int16.
    {"int8", head_attention_i8, head_attention_i8_scratch, 3e-2, 0.5},
};

class HeadAttentionTest : public KernelTest {
 protected:
  /// Every output within the kernel's bound of double precision. Queries and keys are multiplied by
  /// `sharpness`.
  void expect_close(const Kernel& kernel, int length, int head_dim, double bound,
                    float sharpness = 1.0F) {
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
    std::vector<float> scratch(kernel.scratch(length, head_dim) + 1, kGuard);
    GuardedOutput out(length, head_dim);
    kernel.attend(q.data(), k.data(), v.data(), ld, length, head_dim, scale, out.data(), out.ld(),
                  scratch.data());
    const ExactHead exact(q, k, v, ld, length, head_dim, static_cast<double>(scale));
    Worst worst;
    for (int i = 0; i < length; ++i) {
      const std::vector<double> wanted = exact.output(i);
      for (int d = 0; d < head_dim; ++d) {
        worst.see(out.at(i, d), wanted[static_cast<std::size_t>(d)], bound, i, d);
      }
    }
    ASSERT_TRUE(worst.within_bounds())
        << kernel.name << ", length " << length << ", head_dim " << head_dim;
    ASSERT_TRUE(out.guards_hold());
    ASSERT_EQ(scratch.back(), kGuard);
  }
};
KOBOLT_FOR_EACH_INSTRUCTION_SET(HeadAttentionTest);

TEST_P(HeadAttentionTest, EveryLengthIsCloseToDoublePrecision) {
  for (const Kernel& kernel : kKernels) {
    for (const int head_dim : {1, 4, 7, 33, 48, 64}) {
      for (int length = 1; length <= 40; ++length) {
        expect_close(kernel, length, head_dim, kernel.bound);
      }
    }
    for (const int length : {63, 64, 65, 200, 513}) expect_close(kernel, length, 48, kernel.bound);
  }
}

TEST_P(HeadAttentionTest, SharpHeadsToo) {
  for (const Kernel& kernel : kKernels) {
    for (const int length : {5, 33, 130}) {
      expect_close(kernel, length, 48, kernel.sharp_bound, 3.0F);
    }
  }
}

TEST_P(HeadAttentionTest, BytesRoundAsTheirScalarTwin) {
  for (const int head_dim : {5, 48, 64}) {
    for (const int length : {1, 3, 17, 66, 129, 512}) {
      const auto size = static_cast<std::size_t>(length * head_dim);
      const std::vector<float> q = random(size);
      const std::vector<float> k = random(size);
      const std::vector<float> v = random(size);
      const auto attend = [&](decltype(&head_attention_i8) kernel) {
        std::vector<float> scratch(head_attention_i8_scratch(length, head_dim));
        std::vector<float> out(size);
        kernel(q.data(), k.data(), v.data(), head_dim, length, head_dim,
               1.0F / std::sqrt(static_cast<float>(head_dim)), out.data(), head_dim,
               scratch.data());
        return out;
      };
      const std::vector<float> out = attend(head_attention_i8);
      const std::vector<float> twin = attend(kScalarTable.head_attention_i8);
      // Powers that differ by 1e-4 may round to neighbours: 1 in a sum of weights of at least 255.
      Worst worst;
      for (int i = 0; i < length; ++i) {
        for (int d = 0; d < head_dim; ++d) {
          const auto at = static_cast<std::size_t>(i * head_dim + d);
          worst.see(out[at], static_cast<double>(twin[at]), 5e-3, i, d);
        }
      }
      ASSERT_TRUE(worst.within_bounds()) << "length " << length << ", head_dim " << head_dim;
    }
  }
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
    for (const Kernel& kernel : kKernels) {
      std::vector<float> scratch(kernel.scratch(length, kHeadDim));
      GuardedOutput out(length, kHeadDim);
      kernel.attend(zeros.data(), zeros.data(), ones.data(), kHeadDim, length, kHeadDim, 1.0F,
                    out.data(), out.ld(), scratch.data());
      for (int i = 0; i < length; ++i) {
        ASSERT_NEAR(out.at(i, 0), 1.0F, 1e-6F) << kernel.name << ' ' << length;
      }
    }
  }
}

}  // namespace
}  // namespace kobolt::kernels
