#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "compile/compile_to_memory.h"
#include "kernels/kernels.h"
#include "kobolt/evaluate.h"
#include "kobolt/summarizer.h"
#include "runtime/engine.h"

// The trained model on the whole development set against transformers
// (tests/golden/make_dev_ids.py).
namespace kobolt {
namespace {

using Ids = std::vector<std::int32_t>;

const std::filesystem::path kShared = std::filesystem::path(KOBOLT_SOURCE_DIR) / ".." / "shared";

// Sanitized builds are an order of magnitude slower: they take a sample.
#if defined(__SANITIZE_ADDRESS__)
constexpr std::size_t kStride = 80;
#else
constexpr std::size_t kStride = 1;
#endif

// Sum of log-probabilities of `tokens` over their number: what beam search compares.
double score(Engine& engine, const Ids& document, const Ids& tokens, std::int32_t start) {
  const std::vector<Ids> documents = {document};
  const DocumentHandle handle = engine.encode(documents, 1, static_cast<int>(tokens.size()))[0];
  std::vector<float> logits(static_cast<std::size_t>(engine.vocab_size()));
  double total = 0;
  std::int32_t previous = start;
  for (const std::int32_t token : tokens) {
    const std::vector<StepRow> rows = {{handle, previous, 0}};
    engine.step(rows, logits);
    total += static_cast<double>(logits[static_cast<std::size_t>(token)] -
                                 kernels::log_sum_exp(logits.data(), engine.vocab_size()));
    previous = token;
  }
  engine.release(handle);
  return total / static_cast<double>(tokens.size());
}

class DevSet : public ::testing::TestWithParam<std::pair<const char*, int>> {};

TEST_P(DevSet, GivesTheIdsOfTransformers) {
  if (!std::filesystem::exists(kShared / "models" / "deb-bart")) {
    GTEST_SKIP() << "needs ../shared with models/deb-bart and data/dev.jsonl";
  }
  const auto [name, beams] = GetParam();
  const auto golden = nlohmann::json::parse(
      std::ifstream(std::filesystem::path(KOBOLT_TEST_DATA) / "runtime" / "dev_ids.json"));
  const std::vector<Ids> expected = golden.at(name);
  const auto examples = read_dataset(kShared / "data" / "dev.jsonl");
  ASSERT_EQ(examples.size(), expected.size());

  std::vector<std::string> documents;
  for (std::size_t i = 0; i < examples.size(); i += kStride) {
    documents.push_back(examples[i].document);
  }
  Summarizer summarizer(kShared / "models" / "deb-bart");
  SummarizeOptions options{.generation = summarizer.generation()};
  options.generation.num_beams = beams;
  options.generation.max_new_tokens = 40;
  const auto summaries = summarizer.summarize(documents, options);

  ThreadPool pool(1);
  Engine engine(compile_to_memory(Model::load(kShared / "models" / "deb-bart"), {}), pool);
  std::size_t different = 0;
  for (std::size_t i = 0; i < summaries.size(); ++i) {
    const Ids& wanted = expected[i * kStride];
    if (summaries[i].tokens == wanted) continue;
    ++different;
    const Ids document = summarizer.tokenizer().encode(documents[i]);
    const std::int32_t start = options.generation.decoder_start_token_id.value();
    EXPECT_NEAR(score(engine, document, summaries[i].tokens, start),
                score(engine, document, wanted, start), 1e-4)
        << "document " << i * kStride << " differs and is no near-tie";
  }
  RecordProperty("different", static_cast<int>(different));
  EXPECT_LE(different * 200, summaries.size()) << "at least 99.5 % must be identical";
}

INSTANTIATE_TEST_SUITE_P(Search, DevSet,
                         ::testing::Values(std::pair("greedy", 1), std::pair("beam4", 4)),
                         [](const auto& test) { return std::string(test.param.first); });

}  // namespace
}  // namespace kobolt
