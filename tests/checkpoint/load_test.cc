#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>

#include "base/mapped_file.h"
#include "checkpoint/golden_checkpoints.h"
#include "kobolt/model.h"
#include "model/layout.h"

namespace kobolt {
namespace {

using nlohmann::json;

const std::filesystem::path kModels = KOBOLT_SOURCE_DIR "/../shared/models";

// As make_checkpoints.py computes it.
double weighted_sum(const Tensor& tensor) {
  const std::vector<float> values = tensor.to_f32();
  double sum = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    sum += static_cast<double>(1 + i % 97) * static_cast<double>(values[i]);
  }
  return sum;
}

class LoadFamily : public testing::TestWithParam<std::string> {};

TEST_P(LoadFamily, HasTheWeightsThatTransformersLoads) {
  const Model model = Model::load(kCheckpoints / GetParam());
  const json expected =
      json::parse(read_text_file(kCheckpoints / GetParam() / "expected.json")).at("weights");
  for (const auto& [name, value] : expected.items()) {
    if (!model.tensors.contains(name)) {
      // Nothing computes with the shared matrix where encoder and decoder have their own.
      if (name == "model.shared.weight" && !model.config.shared_embedding) continue;
      // Else only a table that is the formula's may be left out.
      EXPECT_TRUE(name.ends_with("embed_positions.weight")) << name;
      EXPECT_EQ(model.config.positions, Positions::sinusoidal) << name;
      continue;
    }
    const Tensor& tensor = model.tensor(name);
    EXPECT_EQ(tensor.shape, value.at(0).get<std::vector<std::int64_t>>()) << name;
    const double sum = value.at(1).get<double>();
    EXPECT_NEAR(weighted_sum(tensor), sum, 1e-7 * std::max(1.0, std::abs(sum))) << name;
  }
  for (const auto& [name, tensor] : model.tensors) EXPECT_TRUE(expected.contains(name)) << name;
}

INSTANTIATE_TEST_SUITE_P(Every, LoadFamily, every_family(), family_test_name);

TEST(Load, SpellsOutWhatTheFamiliesDoDifferently) {
  const ModelConfig bart = Model::load(kCheckpoints / "bart").config;
  EXPECT_EQ(bart.family, Family::bart);
  EXPECT_EQ(bart.positions, Positions::learned_offset2);
  EXPECT_FALSE(bart.pre_norm);
  EXPECT_TRUE(bart.embedding_norm);
  EXPECT_FALSE(bart.final_norm);
  EXPECT_TRUE(bart.tied_output);
  EXPECT_TRUE(bart.shared_embedding);

  const ModelConfig mbart = Model::load(kCheckpoints / "mbart").config;
  EXPECT_EQ(mbart.family, Family::mbart);
  EXPECT_TRUE(mbart.pre_norm);
  EXPECT_TRUE(mbart.embedding_norm);
  EXPECT_TRUE(mbart.final_norm);
  EXPECT_TRUE(mbart.scale_embedding);

  const ModelConfig marian = Model::load(kCheckpoints / "marian").config;
  EXPECT_EQ(marian.family, Family::marian);
  EXPECT_EQ(marian.positions, Positions::sinusoidal);
  EXPECT_EQ(marian.activation, Activation::silu);
  EXPECT_FALSE(marian.pre_norm);
  EXPECT_FALSE(marian.embedding_norm);
  EXPECT_FALSE(marian.final_norm);

  const ModelConfig pegasus = Model::load(kCheckpoints / "pegasus").config;
  EXPECT_EQ(pegasus.family, Family::pegasus);
  EXPECT_EQ(pegasus.positions, Positions::sinusoidal);
  EXPECT_TRUE(pegasus.pre_norm);
  EXPECT_FALSE(pegasus.embedding_norm);
  EXPECT_TRUE(pegasus.final_norm);
}

TEST(Load, KeepsSeparateVocabulariesAndUntiedOutputsApart) {
  const Model separate = Model::load(kCheckpoints / "marian-separate");
  EXPECT_FALSE(separate.config.shared_embedding);
  EXPECT_TRUE(separate.config.tied_output);
  EXPECT_EQ(separate.config.vocab_size, 120);
  EXPECT_EQ(separate.config.encoder_vocab_size, 130);
  EXPECT_EQ(separate.tensor("model.encoder.embed_tokens.weight").shape.at(0), 130);
  EXPECT_EQ(separate.tensors.count("lm_head.weight"), 0U);

  const Model untied = Model::load(kCheckpoints / "bart-untied");
  EXPECT_FALSE(untied.config.tied_output);
  EXPECT_EQ(untied.tensors.count("lm_head.weight"), 1U);
}

TEST(Load, KeepsTheNumberFormatOfTheFile) {
  EXPECT_EQ(Model::load(kCheckpoints / "bart").tensor("model.shared.weight").dtype, DType::f32);
  EXPECT_EQ(Model::load(kCheckpoints / "pegasus").tensor("model.shared.weight").dtype, DType::f16);
  EXPECT_EQ(Model::load(kCheckpoints / "bart-untied").tensor("lm_head.weight").dtype, DType::bf16);
}

TEST(Load, ReadsTheTrainedBart) {
  const auto folder = kModels / "deb-bart";
  if (!std::filesystem::exists(folder)) GTEST_SKIP() << "needs " << folder;
  const Model model = Model::load(folder);

  EXPECT_EQ(model.config.family, Family::bart);
  EXPECT_EQ(model.config.vocab_size, 8000);
  EXPECT_EQ(model.config.d_model, 256);
  EXPECT_EQ(model.config.max_positions, 512);
  EXPECT_EQ(model.config.encoder_layers.size(), 3U);
  EXPECT_EQ(model.config.decoder_layers.at(2),
            (LayerConfig{.self_heads = 8, .cross_heads = 8, .head_dim = 32, .ffn = 1024}));
  EXPECT_EQ(model.config.activation, Activation::gelu);
  EXPECT_TRUE(model.config.tied_output);
  EXPECT_EQ(model.generation.num_beams, 4);
  EXPECT_EQ(model.generation.max_new_tokens, 40);
  for (const TensorSpec& spec : expected_tensors(model.config)) {
    if (!spec.required) continue;
    EXPECT_EQ(model.tensor(spec.name).shape, spec.shape) << spec.name;
  }
  EXPECT_EQ(model.tokenizer.count("tokenizer.json"), 1U);
  EXPECT_EQ(model.provenance.source_hash.size(), 32U);
}

}  // namespace
}  // namespace kobolt
