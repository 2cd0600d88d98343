#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "compile/compile_to_memory.h"
#include "kernels/kernels.h"
#include "kobolt/error.h"
#include "runtime/engine.h"

// Which matrix gets which precision, and what that makes of the file.
namespace kobolt {
namespace {

using testing::HasSubstr;

Model checkpoint(const std::string& name) {
  return Model::load(std::filesystem::path(KOBOLT_TEST_DATA) / "checkpoints" / name);
}

/// The layout of every section with two dimensions, by name.
std::map<std::string, std::string> layouts(const EngineFile& file) {
  std::map<std::string, std::string> found;
  for (const Section& section : file.sections()) {
    if (section.shape.size() == 2) found[section.name] = name_of(section.layout);
  }
  return found;
}

std::map<std::string, std::string> layouts(const std::string& name, const CompileOptions& options) {
  return layouts(*compile_to_memory(checkpoint(name), options));
}

std::string refusal(const std::string& name, const CompileOptions& options) {
  try {
    (void)compile_to_memory(checkpoint(name), options);
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::invalid_argument);
    return error.what();
  }
  return "nothing was refused";
}

TEST(LayerPrecision, IsReadFromText) {
  const LayerPrecision layer = layer_precision_from_text("decoder.layers.*.fc1=bf16");
  EXPECT_EQ(layer.pattern, "decoder.layers.*.fc1");
  EXPECT_EQ(layer.precision, Precision::bf16);
  for (const char* wrong : {"", "lm_head", "=fp16", "lm_head=", "lm_head=fp8", "lm_head=fp16 "}) {
    EXPECT_THROW((void)layer_precision_from_text(wrong), Error) << wrong;
  }
}

TEST(LayerPrecision, AppliesToWhatThePatternNames) {
  const auto found = layouts("bart", {.precision = Precision::int8,
                                      .layers = {{"encoder.layers.0", Precision::fp32},
                                                 {"decoder.layers.*.cross_attn", Precision::fp16},
                                                 {"model.decoder.layers.1.fc1", Precision::bf16}}});
  EXPECT_EQ(found.at("encoder.layers.0.self_attn.qkv.weight"), "panels16_f32");
  EXPECT_EQ(found.at("encoder.layers.0.fc2.weight"), "panels16_f32");
  EXPECT_EQ(found.at("encoder.layers.1.fc2.weight"), "panels16_pairs_i8");
  EXPECT_EQ(found.at("decoder.layers.0.cross_attn.kv.weight"), "panels16_f16");
  EXPECT_EQ(found.at("decoder.layers.1.cross_attn.out.weight"), "panels16_f16");
  EXPECT_EQ(found.at("decoder.layers.1.fc1.weight"), "panels16_bf16");
  EXPECT_EQ(found.at("decoder.layers.0.fc1.weight"), "panels16_pairs_i8");
  EXPECT_EQ(found.at("embedding.weight"), "panels16_pairs_i8");
  EXPECT_EQ(found.at("encoder.positions"), "rows_i8");
}

TEST(LayerPrecision, TheLastMatchWins) {
  const auto found = layouts(
      "bart", {.layers = {{"decoder.layers.0.fc1", Precision::fp16}, {"*", Precision::bf16}}});
  EXPECT_EQ(found.at("decoder.layers.0.fc1.weight"), "panels16_bf16");
  const auto other = layouts(
      "bart", {.layers = {{"*", Precision::bf16}, {"decoder.layers.0.fc1", Precision::fp16}}});
  EXPECT_EQ(other.at("decoder.layers.0.fc1.weight"), "panels16_f16");
  EXPECT_EQ(other.at("decoder.layers.0.fc2.weight"), "panels16_bf16");
  EXPECT_EQ(other.at("decoder.positions"), "rows_bf16");
}

TEST(LayerPrecision, ATiedMatrixHasBothNames) {
  for (const char* name : {"embedding", "lm_head"}) {
    EXPECT_EQ(layouts("bart", {.layers = {{name, Precision::fp16}}}).at("embedding.weight"),
              "panels16_f16");
  }
  const auto untied = layouts("bart-untied", {.layers = {{"lm_head", Precision::fp16}}});
  EXPECT_EQ(untied.at("decoder.embedding.weight"), "panels16_f32");
  EXPECT_EQ(untied.at("lm_head.weight"), "panels16_f16");
}

TEST(LayerPrecision, APatternOfNothingIsRefusedWithTheClosestNames) {
  const auto with = [](const char* pattern) {
    return refusal("bart", {.layers = {{pattern, Precision::fp16}}});
  };
  EXPECT_THAT(with("lmhead"), HasSubstr("lm_head"));
  EXPECT_THAT(with("encoder.layers.0.fc3"), HasSubstr("encoder.layers.*.fc1"));
  EXPECT_THAT(with("encoder.layers.9"), HasSubstr("encoder.layers.*"));
  EXPECT_THAT(with("encoder.layers.0.self_attn.q_proj"), HasSubstr("self_attn"));
  EXPECT_THAT(with(""), HasSubstr("closest"));
  // The encoder has no cross-attention, and norms are no matrices.
  EXPECT_THAT(with("encoder.layers.*.cross_attn"), HasSubstr("closest"));
  EXPECT_THAT(with("encoder.embedding_norm"), HasSubstr("closest"));
}

TEST(LayerPrecision, Int4LeavesTheEmbeddingsInInt8) {
  const auto found = layouts("bart", {.precision = Precision::int4});
  EXPECT_EQ(found.at("embedding.weight"), "panels16_pairs_i8");
  EXPECT_EQ(found.at("decoder.positions"), "rows_i8");
  EXPECT_EQ(found.at("encoder.layers.0.self_attn.qkv.weight"), "panels16_groups32_i4");
  EXPECT_EQ(found.at("decoder.layers.1.fc2.weight"), "panels16_groups32_i4");
  EXPECT_EQ(layouts("bart-untied", {.precision = Precision::int4}).at("lm_head.weight"),
            "panels16_pairs_i8");
  const auto asked =
      layouts("bart", {.precision = Precision::int4, .layers = {{"embedding", Precision::int4}}});
  EXPECT_EQ(asked.at("embedding.weight"), "panels16_groups32_i4");
}

TEST(LayerPrecision, TheFileSaysTheOldestVersionThatCanReadIt) {
  const auto version = [](const CompileOptions& options) {
    return compile_to_memory(checkpoint("bart"), options)->version();
  };
  EXPECT_EQ(version({.precision = Precision::fp32}), 1U);
  EXPECT_EQ(version({.precision = Precision::int8}), 1U);
  EXPECT_EQ(version({.precision = Precision::fp16}), 2U);
  EXPECT_EQ(version({.precision = Precision::int4}), 2U);
  EXPECT_EQ(version({.precision = Precision::fp32, .layers = {{"lm_head", Precision::int8}}}), 2U);
  EXPECT_EQ(version({.precision = Precision::int8, .layers = {{"lm_head", Precision::fp32}}}), 2U);
  EXPECT_EQ(version({.precision = Precision::int8, .layers = {{"*", Precision::fp32}}}), 2U);
  EXPECT_EQ(version({.precision = Precision::int8, .layers = {{"*.positions", Precision::fp32}}}),
            2U);
}

TEST(LayerPrecision, ProvenanceSaysWhatWasDone) {
  const auto file = compile_to_memory(
      checkpoint("bart"), {.precision = Precision::int8, .layers = {{"lm_head", Precision::fp16}}});
  EXPECT_EQ(file->metadata().precision, Precision::int8);
  EXPECT_EQ(file->metadata().provenance.steps.back(), "compiled to int8, lm_head=fp16");
}

std::vector<float> logits_of(const std::shared_ptr<const EngineFile>& file) {
  ThreadPool pool(1);
  Engine engine(file, pool, KvCache::fp32);
  const std::vector<std::vector<std::int32_t>> documents = {{5, 6, 7, 8, 9}};
  const DocumentHandle handle = engine.encode(documents, 1, 2)[0];
  std::vector<float> logits(static_cast<std::size_t>(engine.vocab_size()));
  engine.step(std::vector<StepRow>{{.document = handle, .token = 3, .parent = 0}}, logits);
  return logits;
}

/// Largest difference relative to the largest magnitude.
double difference(const std::vector<float>& found, const std::vector<float>& expected) {
  double largest = 0;
  double scale = 0;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    largest = std::max(largest, std::abs(static_cast<double>(found[i]) - expected[i]));
    scale = std::max(scale, std::abs(static_cast<double>(expected[i])));
  }
  return std::isnan(largest) ? INFINITY : largest / scale;
}

// Products of integers and of floats in every order: rows are quantised when the next matrix wants
// it, and only then. A mixture can be no further from fp32 than the coarsest of its formats.
TEST(MixedEngine, RunsAnyMixture) {
  for (const char* name : {"bart", "bart-untied", "marian-separate", "pegasus"}) {
    const std::vector<float> expected = logits_of(compile_to_memory(checkpoint(name), {}));
    const std::vector<std::vector<LayerPrecision>> mixtures = {
        {{"encoder", Precision::int8}},
        {{"decoder", Precision::int8}, {"encoder", Precision::bf16}},
        {{"*.layers.*.fc1", Precision::int8}},
        {{"*.layers.*.fc2", Precision::int8}, {"lm_head", Precision::fp16}},
        {{"*.layers.*.self_attn.qkv", Precision::int8}, {"lm_head", Precision::int8}},
        {{"decoder.layers.1.cross_attn.kv", Precision::int8}},
        {{"decoder.layers.0.cross_attn.kv", Precision::int8},
         {"decoder.layers.1.cross_attn.kv", Precision::fp16}},
    };
    for (const auto& layers : mixtures) {
      const auto file = compile_to_memory(checkpoint(name), {.layers = layers});
      EXPECT_LT(difference(logits_of(file), expected), 0.1) << name << ' ' << layers[0].pattern;
    }
  }
}

TEST(MixedEngine, WhatNoPatternTouchesKeepsItsValues) {
  const std::vector<float> whole = logits_of(compile_to_memory(checkpoint("bart"), {}));
  const auto same = compile_to_memory(
      checkpoint("bart"),
      {.precision = Precision::int8, .layers = {{"*", Precision::int8}, {"*", Precision::fp32}}});
  EXPECT_EQ(logits_of(same), whole);
}

// Only looked up, never multiplied: what fp32 computes over the same rounded rows.
TEST(MixedEngine, EmbeddingsOfInt4AreReadAsTheyWereRounded) {
  Model model = checkpoint("bart-untied");
  const auto file = compile_to_memory(model, {.layers = {{"*.embedding", Precision::int4}}});
  for (const char* name :
       {"model.encoder.embed_tokens.weight", "model.decoder.embed_tokens.weight"}) {
    Tensor& tensor = model.tensors.at(name);
    std::vector<float> values = tensor.to_f32();
    const int n = static_cast<int>(tensor.shape[0]);
    const int k = static_cast<int>(tensor.shape[1]);
    std::vector<std::uint8_t> packed(kernels::packed_i4_size(n, k));
    kernels::pack_i4(values.data(), k, n, k, packed.data());
    for (int row = 0; row < n; ++row) {
      kernels::unpack_i4_row({packed.data(), n, k}, row,
                             values.data() + static_cast<std::ptrdiff_t>(row) * k);
    }
    tensor = Tensor::from_f32(tensor.shape, std::move(values));
  }
  EXPECT_LT(difference(logits_of(file), logits_of(compile_to_memory(model, {}))), 1e-5);
}

TEST(Fp16, AWeightBeyondItsRangeIsRefused) {
  Model model = checkpoint("bart");
  Tensor& tensor = model.tensors.at("model.encoder.layers.0.fc1.weight");
  std::vector<float> values = tensor.to_f32();
  values[3] = 70000.0F;
  tensor = Tensor::from_f32(tensor.shape, values);
  try {
    (void)compile_to_memory(model, {.precision = Precision::fp16});
    FAIL() << "expected an error";
  } catch (const Error& error) {
    EXPECT_EQ(error.detail().field, "encoder.layers.0.fc1");
    EXPECT_THAT(error.what(), HasSubstr("bf16"));
  }
  EXPECT_NO_THROW((void)compile_to_memory(model, {.precision = Precision::bf16}));
}

}  // namespace
}  // namespace kobolt
