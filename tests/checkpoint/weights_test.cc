#include "checkpoint/weights.h"
#include "checkpoint/golden_checkpoints.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "base/mapped_file.h"
#include "checkpoint/canonical.h"
#include "checkpoint/config.h"
#include "checkpoint/refusal.h"
#include "checkpoint/temporary_folder.h"

namespace kobolt {
namespace {

using testing::AllOf;
using testing::HasSubstr;

StoredWeights weights_of(const char* checkpoint) { return read_weights(kCheckpoints / checkpoint); }

ModelConfig config_of(const char* checkpoint) {
  const auto path = kCheckpoints / checkpoint / "config.json";
  return parse_model_config(read_text_file(path), path.string());
}

Error weights_refused(const StoredWeights& weights, ModelConfig config) {
  return refusal([&] { canonical_tensors(weights, config); });
}

Tensor changed(const Tensor& tensor) {
  auto values = tensor.to_f32();
  values.at(3) += 1;
  return Tensor::from_f32(tensor.shape, values);
}

TEST(Weights, SaysWhatItLookedFor) {
  const TemporaryFolder folder;
  const Error error = refusal([&] { read_weights(folder.path()); });
  EXPECT_EQ(error.kind(), ErrorKind::not_found);
  EXPECT_THAT(error.what(), AllOf(HasSubstr("model.safetensors"), HasSubstr("pytorch_model.bin")));
}

TEST(Weights, AnIndexReachesOnlyIntoItsFolder) {
  const auto refused_index = [](const std::string& text) {
    const TemporaryFolder folder;
    folder.write("model.safetensors.index.json", text);
    return refusal([&] { read_weights(folder.path()); });
  };
  for (const char* shard : {"../x.safetensors", "/etc/passwd", "a/b.safetensors", "", "..", "."}) {
    const Error error = refused_index(R"({"weight_map": {"w": ")" + std::string(shard) + "\"}}");
    EXPECT_EQ(error.detail().field, "weight_map") << shard;
  }
  EXPECT_EQ(refused_index(R"({"weight_map": {"w": 1}})").detail().field, "weight_map");
  EXPECT_EQ(refused_index(R"({"weight_map": []})").detail().field, "weight_map");
  EXPECT_EQ(refused_index("{}").detail().field, "weight_map");
  EXPECT_EQ(refused_index(R"({"weight_map": {"w": "absent.safetensors"}})").kind(),
            ErrorKind::not_found);
}

TEST(Weights, AShardMustHoldWhatItsIndexSays) {
  const TemporaryFolder folder;
  std::filesystem::copy(kCheckpoints / "bart" / "model.safetensors", folder.path() / "a");
  folder.write("model.safetensors.index.json", R"({"weight_map": {"no.such.weight": "a"}})");
  const Error error = refusal([&] { read_weights(folder.path()); });
  EXPECT_EQ(error.kind(), ErrorKind::corrupt);
  EXPECT_EQ(error.detail().field, "no.such.weight");
}

TEST(Canonical, ListsAllThatIsMissingLeftOverOrWrong) {
  StoredWeights weights = weights_of("bart");
  weights.tensors.erase("model.encoder.layers.1.fc1.weight");
  weights.tensors.erase("model.decoder.layernorm_embedding.bias");
  weights.tensors["classification_head.dense.weight"] = Tensor::from_f32({1}, {0.0F});
  weights.tensors["model.encoder.layers.0.fc2.weight"] =
      Tensor::from_f32({2, 3}, {0, 0, 0, 0, 0, 0});
  weights.tensors["model.encoder.layers.0.fc2.bias"].dtype = DType::i32;
  const Error error = weights_refused(weights, config_of("bart"));
  EXPECT_EQ(error.kind(), ErrorKind::corrupt);
  EXPECT_THAT(error.what(),
              AllOf(HasSubstr("missing: model.encoder.layers.1.fc1.weight [32, 16], "
                              "model.decoder.layernorm_embedding.bias [16]"),
                    HasSubstr("model.encoder.layers.0.fc2.weight is [2, 3] instead of [16, 32]"),
                    HasSubstr("model.encoder.layers.0.fc2.bias is I32 instead of F32, F16 or BF16"),
                    HasSubstr("not part of such a model: classification_head.dense.weight [1]"),
                    HasSubstr("model.safetensors")));
}

TEST(Canonical, ListsNoMoreThanAPersonReads) {
  const Error error = weights_refused({{}, "x"}, config_of("bart"));
  EXPECT_THAT(error.what(), HasSubstr(" more"));
  EXPECT_LT(std::string(error.what()).size(), 2000U);
}

TEST(Canonical, AddsThePrefixOfTheBareModel) {
  StoredWeights bare{{}, "x"};
  for (auto& [name, tensor] : weights_of("bart").tensors) {
    const bool inside = name.starts_with("model.");
    bare.tensors.emplace(inside ? name.substr(6) : name, tensor);
  }
  bare.tensors["encoder.version"] = Tensor::from_f32({1}, {3.0F});
  ModelConfig config = config_of("bart");
  const auto tensors = canonical_tensors(bare, config);
  EXPECT_TRUE(tensors.contains("model.encoder.layers.0.fc1.weight"));
  EXPECT_TRUE(tensors.contains("final_logits_bias"));
  EXPECT_FALSE(tensors.contains("model.encoder.version"));
}

TEST(Canonical, FinalLogitsBiasIsOptional) {
  StoredWeights weights = weights_of("bart");
  weights.tensors.erase("final_logits_bias");
  ModelConfig config = config_of("bart");
  EXPECT_FALSE(canonical_tensors(weights, config).contains("final_logits_bias"));
}

TEST(Canonical, DropsCopiesOfTheTiedMatrix) {
  StoredWeights weights = weights_of("bart");
  const Tensor shared = weights.tensors.at("model.shared.weight");
  for (const char* name : {"lm_head.weight", "model.encoder.embed_tokens.weight",
                           "model.decoder.embed_tokens.weight"}) {
    weights.tensors[name] = Tensor::from_f32(shared.shape, shared.to_f32());
  }
  ModelConfig config = config_of("bart");
  const auto tensors = canonical_tensors(weights, config);
  EXPECT_TRUE(config.tied_output);
  EXPECT_TRUE(config.shared_embedding);
  EXPECT_FALSE(tensors.contains("lm_head.weight"));
  EXPECT_FALSE(tensors.contains("model.encoder.embed_tokens.weight"));
}

TEST(Canonical, AnyStoredNameStandsForTheTiedMatrix) {
  for (const char* name : {"lm_head.weight", "model.encoder.embed_tokens.weight",
                           "model.decoder.embed_tokens.weight"}) {
    StoredWeights weights = weights_of("bart");
    weights.tensors[name] = weights.tensors.at("model.shared.weight");
    weights.tensors.erase("model.shared.weight");
    ModelConfig config = config_of("bart");
    const auto tensors = canonical_tensors(weights, config);
    EXPECT_TRUE(tensors.contains("model.shared.weight")) << name;
    EXPECT_TRUE(config.tied_output && config.shared_embedding) << name;
  }
}

// As transformers 5 does it: stored with different values, they are not tied, whatever the
// configuration says.
TEST(Canonical, KeepsAnOutputThatDiffersThoughCalledTied) {
  StoredWeights weights = weights_of("bart");
  weights.tensors["lm_head.weight"] = changed(weights.tensors.at("model.shared.weight"));
  ModelConfig config = config_of("bart");
  ASSERT_TRUE(config.tied_output);
  const auto tensors = canonical_tensors(weights, config);
  EXPECT_FALSE(config.tied_output);
  EXPECT_TRUE(tensors.contains("lm_head.weight"));
}

TEST(Canonical, AnUntiedOutputMustBeThere) {
  StoredWeights weights = weights_of("bart");
  ModelConfig config = config_of("bart");
  config.tied_output = false;
  EXPECT_THAT(weights_refused(weights, config).what(),
              HasSubstr("missing: lm_head.weight [120, 16]"));
}

TEST(Canonical, KeepsOnlyThoseSinusoidalTablesThatTheFormulaDoesNotGive) {
  const char* name = "model.encoder.embed_positions.weight";
  ModelConfig config = config_of("marian");
  const StoredWeights weights = weights_of("marian");
  ASSERT_TRUE(weights.tensors.contains(name));  // the torch files have it in full precision
  EXPECT_FALSE(canonical_tensors(weights, config).contains(name));

  StoredWeights other = weights;
  other.tensors[name] = changed(weights.tensors.at(name));
  EXPECT_TRUE(canonical_tensors(other, config).contains(name));

  other.tensors[name] = Tensor::from_f32({1, 16}, std::vector<float>(16));
  EXPECT_THAT(weights_refused(other, config).what(), HasSubstr("[1, 16] instead of [64, 16]"));
}

TEST(Load, RefusesFoldersAndFilesThatAreNotThere) {
  const TemporaryFolder folder;
  EXPECT_EQ(refusal([&] { Model::load(folder.path() / "none"); }).kind(), ErrorKind::not_found);
  const Error no_config = refusal([&] { Model::load(folder.path()); });
  EXPECT_EQ(no_config.kind(), ErrorKind::not_found);
  EXPECT_THAT(no_config.what(), HasSubstr("config.json"));
  // A path that leads through a file is an Error too, whatever the operating system calls it.
  folder.write("config.json", "{}");
  EXPECT_THROW(Model::load(folder.path() / "config.json" / "below"), Error);
  EXPECT_THROW(Model::load(std::string(5000, 'x')), Error);
  const auto file = folder.write("model.safetensors", "x");
  EXPECT_EQ(refusal([&] { Model::load(file); }).kind(), ErrorKind::invalid_argument);
}

}  // namespace
}  // namespace kobolt
