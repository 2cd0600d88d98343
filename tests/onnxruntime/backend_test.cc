// Exported graphs in ONNX Runtime as a back end: against transformers' ids and Kobolt's own engine,
// for every family. Skipped where the library is not there; KOBOLT_ONNXRUNTIME names it.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "checkpoint/temporary_folder.h"
#include "kobolt/calibrate.h"
#include "kobolt/error.h"
#include "kobolt/onnx.h"
#include "kobolt/prune.h"
#include "kobolt/summarizer.h"
#include "onnxruntime/library.h"
#include "runtime/family_checkpoints.h"

namespace kobolt {
namespace {

using testing::HasSubstr;
namespace fs = std::filesystem;
using Tokens = std::vector<std::int32_t>;

class NeedsOnnxRuntime : public testing::Test {
 protected:
  void SetUp() override {
    const OnnxRuntimeLibrary& library = OnnxRuntimeLibrary::find();
    if (library.functions() == nullptr) GTEST_SKIP() << library.problem();
  }
  fs::path exported(const Model& model, const OnnxOptions& options = {}) const {
    export_onnx(model, folder(), options);
    return folder();
  }
  [[nodiscard]] fs::path folder() const { return temporary_.path() / "onnx"; }
  [[nodiscard]] const TemporaryFolder& temporary() const { return temporary_; }

 private:
  const TemporaryFolder temporary_;
};

void expect_same_tokens(Summarizer& ours, Summarizer& theirs, const TokenRows& documents,
                        const SummarizeOptions& options) {
  const auto expected = ours.generate(documents, options);
  const auto found = theirs.generate(documents, options);
  for (std::size_t i = 0; i < documents.size(); ++i) {
    EXPECT_EQ(found[i].tokens, expected[i].tokens) << "document " << i;
  }
}

class OnnxFamilies : public NeedsOnnxRuntime, public testing::WithParamInterface<std::string> {};

TEST_P(OnnxFamilies, GiveTheIdsOfTransformers) {
  Summarizer onnx(exported(Model::load(family_folder(GetParam()))), {.threads = 2});
  EXPECT_THAT(std::string(onnx.instruction_set()), HasSubstr("ONNX Runtime 1."));
  expect_golden_ids(golden_of_family(GetParam()), onnx);
}

INSTANTIATE_TEST_SUITE_P(Families, OnnxFamilies, every_family(), family_test_name);

TEST_F(NeedsOnnxRuntime, SummarisesRealDocumentsAsTheEngineDoes) {
  const fs::path checkpoint = fs::path(KOBOLT_SOURCE_DIR) / "examples" / "deb-bart";
  Summarizer onnx(exported(Model::load(checkpoint)), {.threads = 2});
  Summarizer engine(checkpoint, {.threads = 2});
  EXPECT_EQ(onnx.config(), engine.config());
  EXPECT_EQ(onnx.provenance().source_hash, engine.provenance().source_hash);
  EXPECT_EQ(onnx.precision(), Precision::fp32);
  EXPECT_GT(onnx.engine_bytes(), 1'000'000U);
  std::vector<std::string> documents;
  std::ifstream lines(fs::path(KOBOLT_SOURCE_DIR) / "examples" / "descriptions.jsonl");
  for (std::string line; std::getline(lines, line);) {
    documents.push_back(nlohmann::json::parse(line).at("document"));
  }
  ASSERT_EQ(documents.size(), 20U);
  for (const int beams : {1, 4}) {
    SummarizeOptions options{.generation = engine.generation()};
    options.generation.num_beams = beams;
    const auto expected = engine.summarize(documents, options);
    const auto found = onnx.summarize(documents, options);
    for (std::size_t i = 0; i < documents.size(); ++i) {
      EXPECT_EQ(found[i].tokens, expected[i].tokens) << beams << " beams, document " << i;
      EXPECT_EQ(found[i].text, expected[i].text);
    }
  }
}

TEST_F(NeedsOnnxRuntime, EncodesAsTheEngineDoes) {
  const TokenRows documents = golden_of_family("bart").at("documents");
  Summarizer onnx(exported(Model::load(family_folder("bart"))), {.threads = 2});
  Summarizer engine(family_folder("bart"), {.threads = 2});
  const auto found = onnx.encode(documents);
  const auto expected = engine.encode(documents);
  for (std::size_t i = 0; i < documents.size(); ++i) {
    ASSERT_EQ(found[i].size(), expected[i].size());
    for (std::size_t j = 0; j < found[i].size(); ++j) {
      ASSERT_NEAR(found[i][j], expected[i][j], 1e-4F * (1 + std::abs(expected[i][j])));
    }
  }
}

TEST_F(NeedsOnnxRuntime, PenaltiesAndSamplingSeeAllLogits) {
  const TokenRows documents = golden_of_family("bart").at("documents");
  Summarizer onnx(exported(Model::load(family_folder("bart"))), {.threads = 2});
  Summarizer engine(family_folder("bart"), {.threads = 2});
  SummarizeOptions options{.generation = engine.generation()};
  options.generation.repetition_penalty = 1.5;
  expect_same_tokens(engine, onnx, documents, options);
  options.generation.bad_words_ids = {{5}, {7}, {9}};
  options.generation.repetition_penalty = 1;
  expect_same_tokens(engine, onnx, documents, options);
}

TEST_F(NeedsOnnxRuntime, FixedSizesArePaddedTo) {
  const TokenRows documents = golden_of_family("bart").at("documents");
  std::size_t longest = 0;
  for (const Tokens& document : documents) longest = std::max(longest, document.size());
  const auto sequence = static_cast<std::int64_t>(longest) + 3;
  const Model model = Model::load(family_folder("bart"));
  Summarizer onnx(exported(model, {.batch = 5, .sequence = sequence}), {.threads = 2});
  Summarizer engine(model, {.threads = 2});
  for (const int beams : {1, 2, 5}) {
    SummarizeOptions options{.generation = engine.generation()};
    options.generation.num_beams = beams;
    expect_same_tokens(engine, onnx, documents, options);
  }
  SummarizeOptions options{.generation = engine.generation()};
  options.generation.num_beams = 6;
  try {
    onnx.generate(documents, options);
    FAIL() << "6 beams in 5 rows";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("num_beams"));
  }
  const TokenRows too_long{Tokens(longest + 4, 5)};
  EXPECT_THROW(onnx.generate(too_long, {.generation = engine.generation()}), Error);
}

TEST_F(NeedsOnnxRuntime, PrunedShapesRun) {
  Model model = Model::load(family_folder("bart"));
  PruningOptions options{.method = PruningMethod::global, .amount = 0.3};
  options.unit = PruningUnit::whole;
  ModelPruner pruner(model, options);
  pruner.prune();
  pruner.make_permanent();
  Summarizer onnx(exported(model), {.threads = 2});
  Summarizer engine(model, {.threads = 2});
  const SummarizeOptions run{.generation = model.generation};
  expect_same_tokens(engine, onnx, golden_of_family("bart").at("documents"), run);
}

TEST_F(NeedsOnnxRuntime, KnowsThePrecisionOfWhatItRuns) {
  const Model model = Model::load(family_folder("bart"));
  const auto precision_of = [&](OnnxPrecision precision) {
    Summarizer onnx(exported(model, {.precision = precision}), {.threads = 1});
    const TokenRows documents = golden_of_family("bart").at("documents");
    EXPECT_FALSE(onnx.generate(documents, {.generation = model.generation}).front().tokens.empty());
    return std::pair(onnx.precision(), onnx.kv_cache());
  };
  EXPECT_EQ(precision_of(OnnxPrecision::fp16), std::pair(Precision::fp16, KvCache::fp16));
  EXPECT_EQ(precision_of(OnnxPrecision::int8_weights), std::pair(Precision::int8, KvCache::fp32));
  EXPECT_EQ(precision_of(OnnxPrecision::int4_weights), std::pair(Precision::int4, KvCache::fp32));
}

TEST_F(NeedsOnnxRuntime, GraphsBesideWeightsRunWhenAskedFor) {
  const fs::path both = temporary().path() / "both";
  fs::copy(family_folder("bart"), both);
  export_onnx(Model::load(both), both);
  EXPECT_THAT(std::string(Summarizer(both, {.threads = 1}).instruction_set()),
              testing::Not(HasSubstr("ONNX")));
  Summarizer onnx(both, {.threads = 1, .backend = EngineBackend::onnxruntime});
  EXPECT_THAT(std::string(onnx.instruction_set()), HasSubstr("ONNX Runtime"));
}

std::string onnx_refusal(const fs::path& folder) {
  try {
    Summarizer summarizer(folder, {.threads = 1, .backend = EngineBackend::onnxruntime});
  } catch (const Error& error) {
    return error.what();
  }
  return "nothing was refused";
}

TEST_F(NeedsOnnxRuntime, BrokenFoldersAreRefusedByFile) {
  exported(Model::load(family_folder("bart")));
  const auto broken = [this](const char* file, const std::string& content) {
    const fs::path copy = temporary().path() / "broken";
    fs::remove_all(copy);
    fs::copy(folder(), copy);
    fs::remove(copy / file);
    if (!content.empty()) std::ofstream(copy / file) << content;
    return onnx_refusal(copy);
  };
  EXPECT_THAT(
      broken("decoder_with_past_model.onnx", ""),
      testing::AllOf(HasSubstr("a graph is missing"), HasSubstr("decoder_with_past_model")));
  EXPECT_THAT(broken("decoder_model.onnx", "no graph"),
              testing::AllOf(HasSubstr("ONNX Runtime refuses"), HasSubstr("decoder_model.onnx")));
  EXPECT_THAT(broken("config.json", ""), HasSubstr("config.json"));
  EXPECT_THAT(broken("model.onnx_data", "short"), HasSubstr("ONNX Runtime refuses"));
  // Graphs in each other's place.
  fs::copy_file(folder() / "encoder_model.onnx", folder() / "decoder_model.onnx",
                fs::copy_options::overwrite_existing);
  EXPECT_THAT(onnx_refusal(folder()), HasSubstr("no output logits"));
  EXPECT_THAT(onnx_refusal(family_folder("bart")), HasSubstr("a graph is missing"));
}

}  // namespace
}  // namespace kobolt
