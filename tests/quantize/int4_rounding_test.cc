#include "kobolt/int4_rounding.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "compile/compile_to_memory.h"
#include "compile/precision_plan.h"
#include "kobolt/error.h"

namespace kobolt {
namespace {

using testing::Contains;
using testing::HasSubstr;

/// The example with a layer a side.
Model small_example() {
  Model model = Model::load(std::filesystem::path(KOBOLT_SOURCE_DIR) / "examples" / "deb-bart");
  model.config.encoder_layers.resize(1);
  model.config.decoder_layers.resize(1);
  return model;
}

const std::vector<std::string>& int4_documents() {
  static const std::vector<std::string> documents = {
      "This package contains the shared libraries that programs need to read compressed files.",
      "A small tool that shows which processes use a file, a folder or a network port.", ""};
  return documents;
}

std::shared_ptr<Int4Rounding> rounded(const Model& model, const CompileOptions& options) {
  return std::make_shared<Int4Rounding>(
      round_to_int4(model, int4_documents(), options, {.threads = 2}));
}

std::string int4_refusal(const Model& model, const CompileOptions& options) {
  try {
    (void)compile_to_memory(model, options);
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::invalid_argument);
    return error.what();
  }
  return "nothing was refused";
}

TEST(Int4Rounding, HelpsEveryLayerAndIsWhatTheEngineThenHas) {
  const Model model = small_example();
  CompileOptions options{.precision = Precision::int4};
  const auto rounding = rounded(model, options);
  EXPECT_EQ(rounding->documents, int4_documents().size());
  EXPECT_EQ(rounding->matrices.size(), 4U + 7U);
  options.int4 = rounding;
  const auto file = compile_to_memory(model, options);
  for (const Int4Matrix& matrix : rounding->matrices) {
    EXPECT_GT(matrix.db, matrix.plain_db) << matrix.section;
    const Section* section = file->find(matrix.section + ".weight");
    ASSERT_NE(section, nullptr) << matrix.section;
    EXPECT_EQ(section->layout, Layout::panels_i4);
    EXPECT_TRUE(std::ranges::equal(file->bytes(*section), std::as_bytes(std::span(matrix.blocks))));
  }
  EXPECT_THAT(file->metadata().provenance.steps,
              Contains(std::string("compiled to int4, int4 rounded for 3 documents")));
}

TEST(Int4Rounding, IsOfTheLayersThatAreToBeInt4) {
  const auto rounding = rounded(
      small_example(),
      {.precision = Precision::int8,
       .layers = {{.pattern = "decoder.layers.*.self_attn", .precision = Precision::int4}}});
  ASSERT_EQ(rounding->matrices.size(), 2U);
  EXPECT_NE(rounding->find("decoder.layers.0.self_attn.qkv"), nullptr);
  EXPECT_NE(rounding->find("decoder.layers.0.self_attn.out"), nullptr);
  EXPECT_EQ(rounding->find("decoder.layers.0.fc1"), nullptr);
}

TEST(Int4Rounding, AShareTakesWhatGetsLeastNoiseForItsSize) {
  auto rounding = std::make_shared<Int4Rounding>();
  const auto add = [&](const char* section, int n, double db) {
    rounding->matrices.push_back({.section = section, .n = n, .k = 100, .db = db});
  };
  add("encoder.layers.0.fc1", 40, 30);
  add("encoder.layers.0.fc2", 40, 40);
  add("decoder.layers.0.fc1", 10, 29);
  add("decoder.layers.0.fc2", 10, 40);
  CompileOptions options{.precision = Precision::int8, .int4 = rounding, .int4_share = 0.6};
  options.layers = {{.pattern = "decoder.layers.0.fc1", .precision = Precision::fp16}};
  const PrecisionPlan plan(options, small_example().config);
  EXPECT_EQ(plan.of("encoder.layers.0.fc2"), Precision::int4);
  EXPECT_EQ(plan.of("decoder.layers.0.fc2"), Precision::int4);
  EXPECT_EQ(plan.of("encoder.layers.0.fc1"), Precision::int8);  // no room
  EXPECT_EQ(plan.of("decoder.layers.0.fc1"), Precision::fp16);  // chosen, but the name wins
  EXPECT_EQ(plan.text(), "int8, 60 % int4, decoder.layers.0.fc1=fp16");

  options.int4 = nullptr;
  EXPECT_THAT(int4_refusal(small_example(), options), HasSubstr("without documents"));
}

TEST(Int4Rounding, IsRefusedForOtherWeightsAndShapes) {
  const Model model = small_example();
  CompileOptions options{
      .layers = {{.pattern = "decoder.layers.0.fc1", .precision = Precision::int4}}};
  auto rounding = rounded(model, options);
  options.int4 = rounding;
  rounding->matrices.front().k += 1;
  EXPECT_THAT(int4_refusal(model, options), HasSubstr("decoder.layers.0.fc1"));
  rounding->model_hash = "of another model";
  EXPECT_THAT(int4_refusal(model, options), HasSubstr("of another model"));
}

TEST(Int4Rounding, NeedsDocumentsWithText) {
  const std::vector<std::string> blank = {"", ""};
  EXPECT_THROW((void)round_to_int4(small_example(), blank), Error);
}

}  // namespace
}  // namespace kobolt
