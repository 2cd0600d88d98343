#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <string>
#include <vector>

#include "runtime/executor.h"

// Executor::summarize over several chunks of the vocabulary, against the product as a whole, sum
// and selection afterwards.
namespace kobolt {
namespace {

struct SummarizeCase {
  int n;
  bool integer;
  int threads;
};

std::vector<SummarizeCase> summarize_cases() {
  std::vector<SummarizeCase> all;
  // Chunks have 512 columns: less than one; one and a column; several, the last one with a panel
  // that is not full.
  for (const int n : {37, 513, 2085}) {
    for (const bool integer : {false, true}) {
      for (const int threads : {1, 2, 5}) all.push_back({n, integer, threads});
    }
  }
  return all;
}

class Summarize : public ::testing::TestWithParam<SummarizeCase> {};
INSTANTIATE_TEST_SUITE_P(Sizes, Summarize, ::testing::ValuesIn(summarize_cases()),
                         [](const auto& test) {
                           return std::string(test.param.integer ? "int8_" : "fp32_") +
                                  std::to_string(test.param.n) + "_columns_" +
                                  std::to_string(test.param.threads) + "_threads";
                         });

TEST_P(Summarize, IsThatOfTheWholeProduct) {
  const int n = GetParam().n;
  const int k = 29;
  std::mt19937 random(1);
  std::normal_distribution<float> normal;
  std::vector<float> weight(static_cast<std::size_t>(n * k));
  for (float& value : weight) value = normal(random);
  // Equal columns far apart, so that the order among equals shows.
  for (int i = 0; i < k; ++i) {
    weight[static_cast<std::size_t>((n - 1) * k + i)] = weight[static_cast<std::size_t>(3 * k + i)];
    weight[static_cast<std::size_t>((n / 2) * k + i)] = weight[static_cast<std::size_t>(3 * k + i)];
  }
  AlignedVector<float> bias(static_cast<std::size_t>(kernels::padded(n)), 0.25F);
  AlignedVector<float> floats(kernels::packed_f32_size(n, k));
  AlignedVector<std::int8_t> bytes(kernels::packed_i8_size(n, k));
  AlignedVector<float> scales(static_cast<std::size_t>(kernels::padded(n)));
  AlignedVector<std::int32_t> sums(scales.size());
  Linear linear{.weight = kernels::PackedF32{}, .bias = bias.data()};
  if (GetParam().integer) {
    kernels::pack_i8(weight.data(), k, n, k, bytes.data(), scales.data());
    kernels::PackedI8 packed{.data = bytes.data(), .scales = scales.data(), .n = n, .k = k};
    if (kernels::prefers_byte_rows()) {
      kernels::sum_columns(packed, sums.data());
      packed.sums = sums.data();
    }
    linear.weight = packed;
  } else {
    kernels::pack_f32(weight.data(), k, n, k, floats.data());
    linear.weight = kernels::PackedF32{floats.data(), n, k};
  }

  ThreadPool pool(GetParam().threads);
  Executor executor(pool, RowFormat::floats);
  for (const int m : {1, 5, 67}) {
    AlignedVector<float> x(static_cast<std::size_t>(m * k));
    for (float& value : x) value = normal(random);
    std::vector<float> logits(static_cast<std::size_t>(m * n));
    executor.linear(executor.operand(x.data(), k, m, k), linear, {.y = logits.data(), .ldy = n});
    for (const int count : {1, 9, n + 1}) {
      std::vector<LogitSummary> summaries(static_cast<std::size_t>(m));
      executor.summarize(executor.operand(x.data(), k, m, k), linear, count, summaries);
      const int kept = std::min(count, n);
      std::vector<float> values(static_cast<std::size_t>(kept));
      std::vector<std::int32_t> tokens(values.size());
      for (int row = 0; row < m; ++row) {
        const float* whole = logits.data() + static_cast<std::ptrdiff_t>(row) * n;
        const LogitSummary& found = summaries[static_cast<std::size_t>(row)];
        const float log_sum = kernels::log_sum_exp(whole, n);
        EXPECT_NEAR(found.log_sum, log_sum, 1e-6F * std::max(1.0F, std::abs(log_sum)));
        kernels::top_k(whole, n, kept, values.data(), tokens.data());
        ASSERT_EQ(found.best.size(), values.size());
        for (std::size_t i = 0; i < values.size(); ++i) {
          ASSERT_EQ(found.best[i].token, tokens[i]) << m << " rows, row " << row << ", place " << i;
          ASSERT_EQ(found.best[i].score, values[i]);
        }
      }
    }
  }
}

}  // namespace
}  // namespace kobolt
