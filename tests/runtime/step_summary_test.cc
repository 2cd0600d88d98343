#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <string>
#include <vector>

#include "compile/compile_to_memory.h"
#include "kernels/kernels.h"
#include "runtime/engine.h"

// The output projection fused with selection against the whole logits of the same step.
namespace kobolt {
namespace {

struct StepCase {
  std::string checkpoint;
  Precision precision;
  int threads;
};

std::vector<StepCase> step_cases() {
  std::vector<StepCase> all;
  for (const std::string checkpoint : {"bart", "marian", "pegasus"}) {
    for (const Precision precision : {Precision::fp32, Precision::fp16, Precision::int8}) {
      for (const int threads : {1, 2, 3}) all.push_back({checkpoint, precision, threads});
    }
  }
  return all;
}

class StepSummary : public ::testing::TestWithParam<StepCase> {};
INSTANTIATE_TEST_SUITE_P(Engines, StepSummary, ::testing::ValuesIn(step_cases()),
                         [](const auto& test) {
                           return test.param.checkpoint + "_" +
                                  std::string(name_of(test.param.precision)) + "_" +
                                  std::to_string(test.param.threads);
                         });

TEST_P(StepSummary, IsThatOfTheWholeLogits) {
  const auto folder =
      std::filesystem::path(KOBOLT_TEST_DATA) / "checkpoints" / GetParam().checkpoint;
  const auto file = compile_to_memory(Model::load(folder), {.precision = GetParam().precision});
  ThreadPool pool(GetParam().threads);
  Engine whole(file, pool);
  Engine summarized(file, pool);
  const int vocabulary = whole.vocab_size();
  const auto size = static_cast<std::size_t>(vocabulary);
  const std::vector<std::vector<std::int32_t>> documents = {{1, 2, 3, 4, 5}, {6, 7}};
  const auto handles = whole.encode(documents, 40, 3);
  ASSERT_EQ(summarized.encode(documents, 40, 3), handles);

  std::vector<float> row_logits(size);
  std::vector<float> values(size);
  std::vector<std::int32_t> tokens(size);
  // One row a document at first; then enough rows for the kernels of many.
  for (const int beams : {1, 5, 40}) {
    std::vector<StepRow> rows;
    for (const DocumentHandle handle : handles) {
      for (int beam = 0; beam < beams; ++beam)
        rows.push_back({handle, (beam * 7 + 3) % vocabulary, 0});
    }
    std::vector<float> logits(rows.size() * size);
    whole.step(rows, logits);
    const int count = beams == 5 ? vocabulary + 3 : 6;  // more than there are, too
    const int kept = std::min(count, vocabulary);
    std::vector<LogitSummary> summaries(rows.size());
    summarized.step_summary(rows, count, summaries);
    for (std::size_t row = 0; row < rows.size(); ++row) {
      const float* expected = logits.data() + row * size;
      const LogitSummary& found = summaries[row];
      EXPECT_NEAR(found.log_sum, kernels::log_sum_exp(expected, vocabulary),
                  1e-6 * std::max(1.0F, std::abs(found.log_sum)));
      kernels::top_k(expected, vocabulary, kept, values.data(), tokens.data());
      ASSERT_EQ(found.best.size(), static_cast<std::size_t>(kept));
      for (std::size_t i = 0; i < found.best.size(); ++i) {
        ASSERT_EQ(found.best[i].token, tokens[i]) << "row " << row << ", place " << i;
        ASSERT_EQ(found.best[i].score, values[i]);
      }
      summarized.logits_of(row, row_logits);
      for (std::size_t i = 0; i < size; ++i) ASSERT_EQ(row_logits[i], expected[i]);
    }
  }
}

}  // namespace
}  // namespace kobolt
