#include "quantize/error_feedback.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <span>
#include <vector>

#include "base/float16.h"
#include "kernels/block4.h"
#include "kernels/kernels.h"
#include "kernels/round4.h"
#include "quantize/input_moments.h"
#include "quantize/round4_feedback.h"
#include "quantize/triangular_factor.h"

namespace kobolt {
namespace {

using kernels::kGroup4;

/// m rows of k inputs that go together: each is a mix of a few hidden numbers, and some noise.
std::vector<float> correlated_rows(int m, int k, std::mt19937& random) {
  constexpr int kHidden = 3;
  std::normal_distribution<float> normal;
  std::vector<float> mix(static_cast<std::size_t>(kHidden * k));
  for (float& x : mix) x = normal(random);
  std::vector<float> rows;
  for (int i = 0; i < m; ++i) {
    float hidden[kHidden];
    for (float& x : hidden) x = normal(random);
    for (int j = 0; j < k; ++j) {
      float x = 0.3F * normal(random);
      for (int h = 0; h < kHidden; ++h) {
        x += hidden[h] * mix[static_cast<std::size_t>(h * k + j)];
      }
      rows.push_back(x);
    }
  }
  return rows;
}

std::vector<float> normal_weights(int n, int k, std::mt19937& random) {
  std::normal_distribution<float> normal(0, 0.05F);
  std::vector<float> weights(static_cast<std::size_t>(n) * static_cast<std::size_t>(k));
  for (float& w : weights) w = normal(random);
  return weights;
}

std::vector<double> naive_moments(std::span<const float> rows, int k) {
  const auto width = static_cast<std::size_t>(k);
  std::vector<double> sums(width * width);
  for (std::size_t at = 0; at < rows.size(); at += width) {
    for (std::size_t i = 0; i < width; ++i) {
      for (std::size_t j = 0; j < width; ++j) {
        sums[i * width + j] +=
            static_cast<double>(rows[at + i]) * static_cast<double>(rows[at + j]);
      }
    }
  }
  return sums;
}

/// The sum of squares of rows . errors^T.
double output_noise(std::span<const float> rows, std::span<const float> errors, int k) {
  const auto width = static_cast<std::size_t>(k);
  double sum = 0;
  for (std::size_t row = 0; row < rows.size(); row += width) {
    for (std::size_t feature = 0; feature < errors.size(); feature += width) {
      double product = 0;
      for (std::size_t l = 0; l < width; ++l) {
        product += static_cast<double>(rows[row + l]) * static_cast<double>(errors[feature + l]);
      }
      sum += product * product;
    }
  }
  return sum;
}

std::vector<float> errors_of(std::span<const float> weights, int n, int k,
                             const std::vector<std::uint8_t>& blocks) {
  std::vector<float> errors(weights.begin(), weights.end());
  std::vector<float> rounded(static_cast<std::size_t>(k));
  for (int row = 0; row < n; ++row) {
    kernels::unpack_i4_row({.data = blocks.data(), .n = n, .k = k}, row, rounded.data());
    for (int l = 0; l < k; ++l) {
      errors[static_cast<std::size_t>(row * k + l)] -= rounded[static_cast<std::size_t>(l)];
    }
  }
  return errors;
}

TEST(InputMoments, AreThoseOfAllRows) {
  std::mt19937 random(3);
  ThreadPool pool(2);
  for (const auto& [m, k] : {std::pair{1, 1}, {7, 33}, {700, 19}}) {
    const std::vector<float> rows = correlated_rows(m, k, random);
    InputMoments moments(k, 1, pool);
    ASSERT_TRUE(moments.add(rows.data(), k, m / 2));
    ASSERT_TRUE(moments.add(rows.data() + static_cast<std::ptrdiff_t>(m / 2) * k, k, m - m / 2));
    const std::vector<double> found = moments.take();
    const std::vector<double> naive = naive_moments(rows, k);
    ASSERT_EQ(found.size(), naive.size());
    for (std::size_t i = 0; i < naive.size(); ++i) EXPECT_NEAR(found[i], naive[i], 1e-5 * m * 30);
  }
}

TEST(InputMoments, MayLeaveRowsOut) {
  ThreadPool pool(1);
  InputMoments moments(1, 3, pool);
  const float rows[] = {1, 10, 10, 2, 10, 10, 3};
  ASSERT_TRUE(moments.add(rows, 1, 5));
  ASSERT_TRUE(moments.add(rows + 5, 1, 2));
  EXPECT_EQ(moments.take(), std::vector<double>{1 + 4 + 9});
}

TEST(InputMoments, RefuseWhatIsNoNumber) {
  ThreadPool pool(1);
  InputMoments moments(2, 1, pool);
  const float rows[] = {1, 2, 3, NAN};
  EXPECT_FALSE(moments.add(rows, 2, 2));
  EXPECT_EQ(moments.take(), std::vector<double>(4));
}

TEST(TriangularFactor, TimesItsTransposeIsTheMatrix) {
  std::mt19937 random(7);
  ThreadPool pool(2);
  for (const int k : {1, 2, 9, 63, 64, 65, 130}) {
    const auto width = static_cast<std::size_t>(k);
    std::vector<double> h = naive_moments(correlated_rows(2 * k, k, random), k);
    for (std::size_t i = 0; i < h.size(); i += width + 1) h[i] += 1;
    std::vector<double> r = h;
    factor_from_below(r, k, 1, pool);
    for (std::size_t i = 0; i < width; ++i) {
      EXPECT_GE(r[i * width + i], 1);
      for (std::size_t j = i; j < width; ++j) {
        double sum = 0;
        for (std::size_t l = j; l < width; ++l) sum += r[i * width + l] * r[j * width + l];
        EXPECT_NEAR(sum, h[i * width + j], 1e-9 * h[j * width + j] + 1e-9) << k;
      }
    }
  }
}

TEST(ErrorFeedback, CostIsTheNoiseOfTheOutputs) {
  std::mt19937 random(11);
  ThreadPool pool(2);
  for (const int k : {1, 31, 32, 70}) {
    const std::vector<float> rows = correlated_rows(200, k, random);
    const ErrorFeedback feedback(naive_moments(rows, k), k, pool);
    const std::vector<float> errors = normal_weights(kernels::kPanel, k, random);
    const double naive = output_noise(rows, errors, k);
    EXPECT_NEAR(feedback.cost(errors), naive, 1e-3 * naive) << k;
  }
}

TEST(ErrorFeedback, InputsThatAreAlwaysZeroCostNothing) {
  ThreadPool pool(1);
  constexpr int kInputs = 5;
  const ErrorFeedback feedback(std::vector<double>(kInputs * kInputs), kInputs, pool);
  const std::vector<float> errors(std::size_t{kernels::kPanel} * kInputs, 1.0F);
  EXPECT_EQ(feedback.cost(errors), 0);
}

TEST(RoundWithFeedback, LosesMuchLessWhereInputsGoTogether) {
  std::mt19937 random(13);
  ThreadPool pool(2);
  for (const auto& [n, k] : {std::pair{16, 96}, {5, 33}, {37, 130}}) {
    const std::vector<float> rows = correlated_rows(600, k, random);
    const std::vector<float> weights = normal_weights(n, k, random);
    const ErrorFeedback feedback(naive_moments(rows, k), k, pool);
    const FeedbackRounding rounding = round_with_feedback(weights, n, feedback, pool);

    const double noise = output_noise(rows, errors_of(weights, n, k, rounding.blocks), k);
    std::vector<std::uint8_t> plain(kernels::packed_i4_size(n, k));
    kernels::pack_i4(weights.data(), k, n, k, plain.data());
    const double plain_noise = output_noise(rows, errors_of(weights, n, k, plain), k);
    const double signal = output_noise(rows, weights, k);

    EXPECT_LT(noise, 0.25 * plain_noise) << n << " x " << k;
    EXPECT_NEAR(rounding.noise, noise, 0.01 * noise);
    EXPECT_NEAR(rounding.plain_noise, plain_noise, 0.01 * plain_noise);
    EXPECT_NEAR(rounding.signal, signal, 0.01 * signal);
  }
}

TEST(RoundWithFeedback, IsPlainRoundingWhereInputsDoNotGoTogether) {
  std::mt19937 random(17);
  ThreadPool pool(2);
  constexpr int kFeatures = 21;
  constexpr int kInputs = 75;
  std::vector<double> moments(static_cast<std::size_t>(kInputs * kInputs));
  for (std::size_t i = 0; i < moments.size(); i += kInputs + 1) moments[i] = 4;
  const std::vector<float> weights = normal_weights(kFeatures, kInputs, random);
  const FeedbackRounding rounding =
      round_with_feedback(weights, kFeatures, ErrorFeedback(moments, kInputs, pool), pool);
  std::vector<std::uint8_t> plain(kernels::packed_i4_size(kFeatures, kInputs));
  kernels::pack_i4(weights.data(), kInputs, kFeatures, kInputs, plain.data());
  EXPECT_EQ(rounding.blocks, plain);
}

/// The recursion of the definition, a weight at a time in double, with the scales that were chosen.
TEST(RoundWithFeedback, FollowsTheDefinition) {
  std::mt19937 random(19);
  ThreadPool pool(1);
  constexpr int kFeatures = 18;
  constexpr int kInputs = 70;
  constexpr std::size_t kWidth = kInputs;
  const std::vector<float> rows = correlated_rows(300, kInputs, random);
  const std::vector<float> weights = normal_weights(kFeatures, kInputs, random);
  std::vector<double> r = naive_moments(rows, kInputs);
  const FeedbackRounding rounding =
      round_with_feedback(weights, kFeatures, ErrorFeedback(r, kInputs, pool), pool);

  double mean = 0;
  for (std::size_t i = 0; i < r.size(); i += kWidth + 1) mean += r[i] / kInputs;
  for (std::size_t i = 0; i < r.size(); i += kWidth + 1) r[i] += 0.01 * mean;
  factor_from_below(r, kInputs, 0.01 * mean, pool);

  for (int feature = 0; feature < kFeatures; ++feature) {
    const std::uint8_t* panel = rounding.blocks.data() + static_cast<std::size_t>(feature / 16) *
                                                             kernels::packed_i4_size(16, kInputs);
    std::vector<double> errors;
    for (int l = 0; l < kInputs; ++l) {
      const std::uint8_t* block =
          panel + static_cast<std::ptrdiff_t>(l / kGroup4) * kernels::kBlock4;
      const double scale = kernels::block_scale(block, feature % 16);
      const double weight = weights[static_cast<std::size_t>(feature * kInputs + l)];
      const auto column = static_cast<std::size_t>(l);
      double target = weight;
      for (std::size_t j = 0; j < column; ++j) {
        target += errors[j] * r[j * kWidth + column] / r[column * kWidth + column];
      }
      const int step = kernels::block_weight(block, feature % 16, l % kGroup4);
      const double exact = std::clamp(target / scale, -8.0, 7.0);
      // float has the other neighbour only where both are as near.
      EXPECT_LE(std::abs(exact - step), 0.5 + 1e-3) << feature << ", " << l;
      errors.push_back(weight - scale * step);
    }
  }
}

TEST(RoundWithFeedback, GroupsOfZerosStayZero) {
  std::mt19937 random(23);
  ThreadPool pool(1);
  constexpr int kInputs = 64;
  std::vector<float> weights(kInputs);
  const ErrorFeedback feedback(naive_moments(correlated_rows(99, kInputs, random), kInputs),
                               kInputs, pool);
  const FeedbackRounding rounding = round_with_feedback(weights, 1, feedback, pool);
  EXPECT_EQ(rounding.noise, 0);
  EXPECT_EQ(errors_of(weights, 1, kInputs, rounding.blocks), weights);
}

}  // namespace
}  // namespace kobolt
