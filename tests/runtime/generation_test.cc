#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <vector>

#include "kobolt/error.h"
#include "runtime/generate.h"
#include "runtime/generation_settings_json.h"
#include "runtime/table_backend.h"

// generate() against what transformers' generate() gave on the same logits, over a grid of settings
// and ragged batches (tests/golden/make_generation.py).
namespace kobolt {
namespace {

using Ids = std::vector<std::int32_t>;

const nlohmann::json& golden() {
  static const auto json = nlohmann::json::parse(
      std::ifstream(std::filesystem::path(KOBOLT_TEST_DATA) / "runtime" / "generation.json"));
  return json;
}

std::vector<Ids> documents_of(const nlohmann::json& test) {
  std::vector<Ids> documents;
  for (const std::size_t index : test.at("documents").get<std::vector<std::size_t>>()) {
    documents.push_back(golden().at("documents").at(index));
  }
  return documents;
}

// Different numbers of rows make documents enter and leave at different moments.
class GenerationGrid : public ::testing::TestWithParam<int> {};

TEST_P(GenerationGrid, IsThatOfTransformers) {
  int compared = 0;
  for (const auto& test : golden().at("cases")) {
    SCOPED_TRACE(test.at("settings").dump());
    const GenerationConfig config = settings_from_json(test.at("settings"));
    TableBackend backend;
    const auto found =
        generate(backend, documents_of(test), config, {.max_rows = GetParam(), .progress = {}});
    EXPECT_EQ(backend.held(), 0);
    EXPECT_LE(backend.most_rows(),
              std::max({GetParam(), config.num_beams, config.num_return_sequences}));
    ASSERT_EQ(found.size(), test.at("results").size());
    for (std::size_t i = 0; i < found.size(); ++i) {
      const auto& expected = test.at("results").at(i);
      ASSERT_EQ(found[i].size(), expected.size());
      for (std::size_t j = 0; j < found[i].size(); ++j) {
        EXPECT_EQ(found[i][j].tokens, expected.at(j).at(0).get<Ids>())
            << "document " << i << " sequence " << j;
        const double score = expected.at(j).at(1);
        EXPECT_NEAR(found[i][j].score, score, 1e-5 * std::max(1.0, std::abs(score)))
            << "document " << i << " sequence " << j;
        ++compared;
      }
    }
  }
  EXPECT_GT(compared, 1000);
}

INSTANTIATE_TEST_SUITE_P(Rows, GenerationGrid, ::testing::Values(1, 5, 8, 64));

TEST(Generation, ReleasesEverythingWhenTheBackEndFails) {
  const std::vector<Ids> documents = golden().at("documents");
  for (const int step : {0, 3, 9}) {
    TableBackend backend;
    backend.fail_at_step = step;
    const GenerationConfig config{.num_beams = 2, .eos_token_id = {1}, .decoder_start_token_id = 0};
    EXPECT_THROW(generate(backend, documents, config, {.max_rows = 6, .progress = {}}),
                 std::runtime_error);
    EXPECT_EQ(backend.held(), 0);
  }
}

TEST(Generation, TellsProgressOfEveryDocument) {
  const std::vector<Ids> documents = golden().at("documents");
  TableBackend backend;
  std::vector<std::size_t> told;
  const GenerationConfig config{.eos_token_id = {1}, .decoder_start_token_id = 0};
  generate(backend, documents, config,
           {.max_rows = 3, .progress = [&](std::size_t done) { told.push_back(done); }});
  ASSERT_EQ(told.size(), documents.size());
  EXPECT_TRUE(std::ranges::is_sorted(told));
  EXPECT_EQ(told.back(), documents.size());
}

TEST(Generation, SamplingDependsOnTheSeedAndNotOnTheBatch) {
  const std::vector<Ids> documents = golden().at("documents");
  GenerationConfig config{.max_new_tokens = 12,
                          .do_sample = true,
                          .temperature = 1.3,
                          .seed = 5,
                          .eos_token_id = {1},
                          .decoder_start_token_id = 0};
  const auto tokens = [&](int rows) {
    TableBackend backend;
    std::vector<Ids> all;
    for (const auto& sequences :
         generate(backend, documents, config, {.max_rows = rows, .progress = {}})) {
      for (const auto& sequence : sequences) all.push_back(sequence.tokens);
    }
    return all;
  };
  const auto first = tokens(64);
  EXPECT_EQ(tokens(2), first);
  config.seed = 6;
  EXPECT_NE(tokens(64), first);
  config.num_beams = 3;  // beam sampling
  EXPECT_EQ(tokens(3), tokens(64));
}

TEST(Generation, SamplingFollowsTheDistribution) {
  // With top_k 2 a first token has two outcomes whose odds are known from the logits.
  const std::vector<Ids> document = {{9, 8, 7}};
  TableBackend backend;
  const auto handle = backend.encode(document, 1, 4)[0];
  std::vector<float> logits(TableBackend::kVocabulary);
  backend.step(std::vector<StepRow>{{handle, 0, 0}}, logits);
  backend.release(handle);
  std::vector<int> order(logits.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = static_cast<int>(i);
  std::ranges::sort(order, [&](int a, int b) {
    return logits[static_cast<std::size_t>(a)] > logits[static_cast<std::size_t>(b)];
  });
  const double gap = static_cast<double>(logits[static_cast<std::size_t>(order[0])]) -
                     static_cast<double>(logits[static_cast<std::size_t>(order[1])]);
  const double probability = 1 / (1 + std::exp(-gap));
  constexpr int kDraws = 4000;
  GenerationConfig config{.max_new_tokens = 1,
                          .do_sample = true,
                          .top_k = 2,
                          .eos_token_id = {1},
                          .decoder_start_token_id = 0};
  int best = 0;
  for (int draw = 0; draw < kDraws; ++draw) {
    config.seed = static_cast<std::uint64_t>(draw);
    const int token = generate(backend, document, config, {})[0][0].tokens[0];
    ASSERT_TRUE(token == order[0] || token == order[1]);
    best += token == order[0] ? 1 : 0;
  }
  // Five standard deviations of a binomial; the seeds are fixed, so the outcome is too.
  const double deviation = std::sqrt(kDraws * probability * (1 - probability));
  EXPECT_NEAR(best, kDraws * probability, 5 * deviation);
}

TEST(Generation, RefusesSettingsThatMakeNoSense) {
  const std::vector<Ids> documents = {{5, 6}};
  const auto field_of = [&](auto change) -> std::string {
    GenerationConfig config{.eos_token_id = {1}, .decoder_start_token_id = 0};
    change(config);
    TableBackend backend;
    try {
      generate(backend, documents, config, {});
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::invalid_argument);
      return error.detail().field;
    }
    return "no error";
  };
  EXPECT_EQ(field_of([](auto& c) { c.num_beams = 0; }), "num_beams");
  EXPECT_EQ(field_of([](auto& c) { c.max_new_tokens = 0; }), "max_new_tokens");
  EXPECT_EQ(field_of([](auto& c) { c.min_length = -1; }), "min_length");
  EXPECT_EQ(field_of([](auto& c) {
              c.num_beams = 2;
              c.num_return_sequences = 3;
            }),
            "num_return_sequences");
  EXPECT_EQ(field_of([](auto& c) { c.repetition_penalty = 0; }), "repetition_penalty");
  EXPECT_EQ(field_of([](auto& c) { c.decoder_start_token_id.reset(); }), "decoder_start_token_id");
  EXPECT_EQ(field_of([](auto& c) { c.decoder_start_token_id = 48; }), "decoder_start_token_id");
  EXPECT_EQ(field_of([](auto& c) { c.forced_bos_token_id = -2; }), "forced_bos_token_id");
  EXPECT_EQ(field_of([](auto& c) {
              c.do_sample = true;
              c.temperature = 0;
            }),
            "temperature");
}

}  // namespace
}  // namespace kobolt
