#include "checkpoint/mask_pairs.h"
#include "checkpoint/golden_checkpoints.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "base/mapped_file.h"
#include "checkpoint/temporary_folder.h"
#include "kobolt/error.h"
#include "kobolt/prune.h"

// Pruned checkpoints: pairs of weights and masks, zeros, and what config.json says about them.
namespace kobolt {
namespace {

using testing::HasSubstr;
Tensor floats(std::vector<std::int64_t> shape, std::vector<float> values) {
  return Tensor::from_f32(std::move(shape), std::move(values));
}

std::string pairs_refusal(std::map<std::string, Tensor> tensors) {
  StoredWeights stored{std::move(tensors), "weights.bin"};
  try {
    (void)take_masks(stored);
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::corrupt);
    EXPECT_EQ(error.detail().file, "weights.bin");
    return error.what();
  }
  return "nothing was refused";
}

TEST(MaskPairs, BecomeTensorAndMask) {
  StoredWeights stored{{{"a.weight_orig", floats({1, 3}, {4, 5, 6})},
                        {"a.weight_mask", floats({1, 3}, {1, 0, 1})},
                        {"a.bias", floats({1}, {7})}},
                       ""};
  const auto masks = take_masks(stored);
  ASSERT_EQ(masks.size(), 1U);
  const Mask& mask = masks.at("a.weight");
  EXPECT_EQ(mask.pruned(), 1U);
  EXPECT_FALSE(mask.kept(1));
  ASSERT_EQ(stored.tensors.size(), 2U);
  EXPECT_EQ(stored.tensors.at("a.weight").to_f32(), (std::vector<float>{4, 5, 6}));
  StoredWeights bytes{{{"x_orig", floats({1, 3}, {4, 5, 6})}, {"x_mask", mask_tensor(mask)}}, ""};
  EXPECT_EQ(take_masks(bytes).at("x"), mask);
}

TEST(MaskPairs, ThatAreNoneAreRefused) {
  const Tensor weight = floats({1, 3}, {4, 5, 6});
  EXPECT_THAT(pairs_refusal({{"a_orig", weight}}), HasSubstr("a_mask"));
  EXPECT_THAT(pairs_refusal({{"a_mask", weight}, {"a", weight}}), HasSubstr("a_orig"));
  EXPECT_THAT(pairs_refusal({{"a_mask", floats({3, 1}, {1, 1, 1})}, {"a_orig", weight}}),
              HasSubstr("[3, 1]"));
  EXPECT_THAT(pairs_refusal({{"a_mask", floats({1, 3}, {1, 0.5, 1})}, {"a_orig", weight}}),
              HasSubstr("0.5 at element 1"));
  EXPECT_THAT(pairs_refusal({{"a_mask", floats({1, 3}, {1, 0, NAN})}, {"a_orig", weight}}),
              HasSubstr("element 2"));
}

TEST(MaskPairs, OfTorchAreRead) {
  const Model pruned = Model::load(KOBOLT_TEST_DATA "/prune/pairs");
  Model model = Model::load(kCheckpoints / "bart");
  EXPECT_NE(pruned.provenance.source_hash, model.provenance.source_hash);
  magnitude_pruning(model, 0.5);
  EXPECT_EQ(pruned.masks, model.masks);
  for (const auto& [name, tensor] : model.tensors) {
    EXPECT_EQ(pruned.effective_tensor(name).to_f32(), model.effective_tensor(name).to_f32());
  }
}

TEST(MaskPairs, AreSavedAndLoadedAgain) {
  for (const char* name : {"bart", "bart-untied", "marian-separate", "pegasus"}) {
    const TemporaryFolder folder;
    Model model = Model::load(kCheckpoints / name);
    PruningTargets targets{.force = true};
    magnitude_pruning(model, 0.5);
    targets.layers = {model.config.shared_embedding ? "shared" : "decoder.embed_tokens"};
    magnitude_pruning(model, 0.25, targets);
    save_checkpoint(model, folder.path(), DType::f32, MaskStorage::pairs);
    Model again = Model::load(folder.path());
    EXPECT_EQ(again.masks, model.masks) << name;
    EXPECT_EQ(again.config, model.config);
    EXPECT_EQ(again.provenance.steps, model.provenance.steps);
    EXPECT_FALSE(again.pruning.permanent);
    for (const auto& [tensor, values] : model.tensors) {
      EXPECT_EQ(again.tensor(tensor).to_f32(), values.to_f32()) << tensor;
    }
    // Pruning goes on where it was.
    magnitude_pruning(again, 0.5);
    EXPECT_EQ(again.masks.at("model.encoder.layers.0.fc1.weight").active(), 512U / 4) << name;
  }
}

TEST(MaskedFile, IsAnOrdinaryCheckpointThatIsNotPrunedAgain) {
  const TemporaryFolder folder;
  Model model = Model::load(kCheckpoints / "bart");
  global_pruning(model, 0.4);
  save_checkpoint(model, folder.path(), DType::f32);
  EXPECT_FALSE(model.masks.empty());
  Model again = Model::load(folder.path());
  EXPECT_TRUE(again.masks.empty());
  EXPECT_TRUE(again.pruning.permanent);
  EXPECT_EQ(again.provenance.steps, model.provenance.steps);
  EXPECT_EQ(again.config, model.config);
  for (const auto& [name, tensor] : model.tensors) {
    EXPECT_EQ(again.tensor(name).to_f32(), model.effective_tensor(name).to_f32()) << name;
  }
  EXPECT_THROW(global_pruning(again, 0.1), Error);
  const PruningStats before = get_pruning_stats(model);
  const PruningStats after = get_pruning_stats(again);
  EXPECT_EQ(after.pruned_params, before.pruned_params);
  EXPECT_EQ(after.total_params, before.total_params);
  // Everything that transformers reads is as it was.
  auto config = nlohmann::json::parse(read_text_file(folder.path() / "config.json"));
  config.erase("kobolt");
  EXPECT_EQ(config, nlohmann::json::parse(model.raw_config));
}

TEST(MaskedFile, OfNothingPrunedIsTheSameFile) {
  const TemporaryFolder folder;
  const Model model = Model::load(kCheckpoints / "bart");
  save_checkpoint(model, folder.path(), DType::f32, MaskStorage::pairs);
  EXPECT_EQ(read_text_file(folder.path() / "config.json"), model.raw_config);
  EXPECT_EQ(Model::load(folder.path()).provenance.source_hash, model.provenance.source_hash);
}

TEST(KoboltField, ThatIsWrongIsRefused) {
  const std::string config = Model::load(kCheckpoints / "bart").raw_config;
  const auto refused = [&](const std::string& field) {
    const TemporaryFolder folder;
    std::string text = config;
    text.insert(text.rfind('}'), ", \"kobolt\": " + field);
    folder.write("config.json", text);
    try {
      (void)Model::load(folder.path());
    } catch (const Error& error) {
      return std::string(error.what());
    }
    return std::string("nothing was refused");
  };
  EXPECT_THAT(refused("{}"), HasSubstr("no weights"));
  EXPECT_THAT(refused("[1]"), HasSubstr("kobolt"));
  EXPECT_THAT(refused(R"({"steps": [1]})"), HasSubstr("steps"));
  EXPECT_THAT(refused(R"({"removed_params": -1})"), HasSubstr("removed_params"));
  EXPECT_THAT(refused(R"({"permanently_pruned": "yes"})"), HasSubstr("permanently_pruned"));
  EXPECT_THAT(refused(R"({"encoder_layers": []})"), HasSubstr("encoder_layers"));
  EXPECT_THAT(refused(R"({"encoder_layers": [{"self_heads": 2, "head_dim": 8, "ffn": 3}]})"),
              HasSubstr("2 layers"));
  EXPECT_THAT(refused(R"({"encoder_layers": [{"self_heads": 0, "head_dim": 8, "ffn": 3}]})"),
              HasSubstr("self_heads"));
  EXPECT_THAT(refused(R"({"encoder_layers": [{"self_heads": 65536, "head_dim": 65536,
                         "ffn": 3}]})"),
              HasSubstr("head_dim"));
}

}  // namespace
}  // namespace kobolt
