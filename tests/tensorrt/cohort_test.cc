#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "checkpoint/temporary_folder.h"
#include "kobolt/onnx.h"
#include "runtime/family_checkpoints.h"
#include "runtime/generate.h"
#include "tensorrt/fake_tensorrt.h"
#include "tensorrt/stand_in/cuda.h"
#include "tensorrt/stand_in/tensorrt.h"
#include "tensorrt/tensorrt_cohort.h"

// What src/tensorrt does while it decodes (memory, stream, recorded graphs, caches, selection),
// over a stand-in of TensorRT, which computes the exported graphs on the host: the ids are those of
// transformers, and nothing is done that a device forbids. CUDA is a stand-in in the host's memory,
// and in a program of its own CUDA itself.
namespace kobolt {
namespace {

using testing::HasSubstr;

class TensorRTDecoding : public ::testing::Test {
 protected:
  void SetUp() override {
    if (const std::string why = stand_in::missing_device(); !why.empty()) GTEST_SKIP() << why;
    (void)stand_in::take_complaints();
  }
  void TearDown() override {
    backend_.reset();
    EXPECT_EQ(stand_in::take_complaints(), "");
    EXPECT_EQ(stand_in::counts().device_bytes, 0U);
    EXPECT_EQ(stand_in::counts().pinned_bytes, 0U);
  }

  void open(const std::string& family, TensorRTProfile profile = {},
            OnnxPrecision precision = OnnxPrecision::fp32) {
    model_ = Model::load(family_folder(family));
    const auto graphs = folder_.path() / "onnx";
    export_onnx(model_, graphs, {.precision = precision, .fixed_cache = true});
    profile.max_positions = model_.config.max_positions;
    if (profile.max_batch == 1) profile.max_batch = 64;
    if (profile.max_sequence == 1) profile.max_sequence = model_.config.max_positions;
    TensorRTPlans plans;
    for (const char* graph : {"encoder", "decoder", "decoder_with_past"}) {
      plans[graph] = stand_in::plan_of(graphs, graph, profile);
    }
    const auto file = folder_.path() / "model.engine";
    write_plan_file(file, model_, Precision::fp32, {}, profile, plans);
    backend_ = std::make_unique<TensorRTBackend>(PlanFile::open(file), log_);
  }

  TokenRows ids(const TokenRows& documents, const GenerationConfig& config, int rows) {
    TokenRows ids;
    for (auto& one : generate(*backend_, documents, config, {.max_rows = rows})) {
      ids.push_back(one.front().tokens);
    }
    return ids;
  }
  /// Of Kobolt's own engine.
  [[nodiscard]] TokenRows expected_ids(const TokenRows& documents,
                                       const GenerationConfig& config) const {
    TokenRows ids;
    Summarizer engine(model_, {.threads = 1});
    for (const auto& one : engine.generate(documents, {.generation = config})) {
      ids.push_back(one.tokens);
    }
    return ids;
  }
  void expect_golden(const std::string& family) {
    expect_golden_ids(golden_of_family(family), model_.generation,
                      [this](const TokenRows& documents, const GenerationConfig& config, int rows) {
                        return ids(documents, config, rows);
                      });
  }
  [[nodiscard]] static TokenRows documents() { return golden_of_family("bart").at("documents"); }

  const TemporaryFolder folder_;
  Model model_;
  TensorRTLog log_;
  std::unique_ptr<TensorRTBackend> backend_;
};

class TensorRTFamilies : public TensorRTDecoding,
                         public ::testing::WithParamInterface<std::string> {};

TEST_P(TensorRTFamilies, GiveTheIdsOfTransformers) {
  open(GetParam());
  const int launches = stand_in::counts().launches;
  expect_golden(GetParam());
  EXPECT_GT(stand_in::counts().launches, launches) << "no step was recorded";
}

INSTANTIATE_TEST_SUITE_P(Families, TensorRTFamilies, every_family(), family_test_name);

TEST_F(TensorRTDecoding, StepsThatCannotBeRecordedRunByThemselves) {
  stand_in::refuse_captures(true);
  open("bart");
  const int launches = stand_in::counts().launches;
  expect_golden("bart");
  EXPECT_EQ(stand_in::counts().launches, launches);
  stand_in::refuse_captures(false);
}

TEST_F(TensorRTDecoding, SettingsThatSeeAllLogits) {
  open("bart");
  GenerationConfig config = model_.generation;
  config.repetition_penalty = 1.5;
  EXPECT_EQ(ids(documents(), config, 64), expected_ids(documents(), config));
  config.repetition_penalty = 1;
  // More than the device selects: rows of logits are fetched.
  for (int token = 4; token < model_.config.vocab_size - 4; ++token) {
    config.suppress_tokens.push_back(token);
  }
  EXPECT_EQ(ids(documents(), config, 64), expected_ids(documents(), config));
}

TEST_F(TensorRTDecoding, FixedAxesArePaddedTo) {
  open("bart", {.max_batch = 8, .max_sequence = 40, .min_batch = 8, .min_sequence = 40});
  expect_golden("bart");
}

TEST_F(TensorRTDecoding, WhatLiesOutsideOfTheProfileIsRefused) {
  open("bart", {.max_batch = 4, .max_sequence = 23});
  GenerationConfig config = model_.generation;
  EXPECT_EQ(backend_->max_document(), 23);
  EXPECT_THAT(refused_by_tensorrt([&] { (void)ids(documents(), config, 64); }),
              HasSubstr("expected 1 to 23"));
  config.num_beams = 5;
  EXPECT_THAT(
      refused_by_tensorrt([&] {
        (void)ids({{5, 6}}, config, 64);
      }),
      testing::AllOf(HasSubstr("num_beams"), HasSubstr("at most 4"), HasSubstr("max_batch_size")));
  config.num_beams = 4;
  EXPECT_EQ(ids({{5, 6}}, config, 64), expected_ids({{5, 6}}, config));
}

TEST_F(TensorRTDecoding, HalfPrecisionCachesAreHalfAsLarge) {
  const auto most_bytes = [this](OnnxPrecision precision) {
    open("bart", {}, precision);
    const std::size_t before = stand_in::counts().device_bytes;
    const auto handles = backend_->encode(documents(), 4, 20);
    const std::size_t bytes = stand_in::counts().device_bytes - before;
    for (const DocumentHandle handle : handles) backend_->release(handle);
    for (const auto& one : ids(documents(), model_.generation, 64)) EXPECT_FALSE(one.empty());
    return bytes;
  };
  const std::size_t whole = most_bytes(OnnxPrecision::fp32);
  EXPECT_LT(most_bytes(OnnxPrecision::fp16), whole);
}

TEST_F(TensorRTDecoding, ContextsServeOneCohortAfterTheOther) {
  open("bart");
  (void)ids(documents(), model_.generation, 7);
  const int contexts = stand_in::counts().contexts;
  (void)ids(documents(), model_.generation, 7);
  EXPECT_EQ(stand_in::counts().contexts, contexts);
}

TEST_F(TensorRTDecoding, TooLittleMemoryIsToldWithTheSize) {
  open("bart");
  stand_in::limit_device_bytes(stand_in::counts().device_bytes + 20000);
  EXPECT_THAT(
      refused_by_tensorrt([&] { (void)ids(documents(), model_.generation, 64); }),
      testing::AllOf(HasSubstr("out of memory"), HasSubstr("device memory"), HasSubstr("bytes")));
  stand_in::limit_device_bytes(std::numeric_limits<std::size_t>::max());
  // Nothing is left of the attempt.
  EXPECT_EQ(ids(documents(), model_.generation, 64), expected_ids(documents(), model_.generation));
}

TEST_F(TensorRTDecoding, BackEndsMayEndBeforeTheirDocuments) {
  open("bart");
  (void)backend_->encode(documents(), 4, 20);
}

TEST_F(TensorRTDecoding, EnginesOfAnotherLibraryAreRefused) {
  const auto file = folder_.path() / "model.engine";
  write_plan_file(file, Model::load(family_folder("bart")), Precision::fp32, {}, {},
                  {{"encoder", "ftrt"}, {"decoder", ""}, {"decoder_with_past", ""}});
  EXPECT_THAT(
      refused_by_tensorrt([&] { const TensorRTBackend backend(PlanFile::open(file), log_); }),
      testing::AllOf(HasSubstr("cannot load an engine"), HasSubstr("encoder"),
                     HasSubstr("no engine of this version")));
}

}  // namespace
}  // namespace kobolt
