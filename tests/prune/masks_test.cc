#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "checkpoint/temporary_folder.h"
#include "kobolt/error.h"
#include "kobolt/prune.h"
#include "prune/pruned_model.h"

// Masks against those of torch.nn.utils.prune (tests/golden/make_pruning.py), and what may not be
// pruned.
namespace kobolt {
namespace {

using nlohmann::json;
using testing::HasSubstr;

std::vector<std::size_t> pruned_elements(const Mask& mask) {
  std::vector<std::size_t> elements;
  for (std::size_t i = 0; i < mask.size(); ++i) {
    if (!mask.kept(i)) elements.push_back(i);
  }
  return elements;
}

TEST(Masks, AreThoseOfTorch) {
  const json cases = json::parse(std::ifstream(KOBOLT_TEST_DATA "/prune/masks.json"));
  ASSERT_GE(cases.size(), 12U);
  for (const json& one : cases) {
    const Model model = pruned_model(one);
    const json& expected = one.at("pruned");
    EXPECT_EQ(model.masks.size(), expected.size());
    for (const auto& [module, elements] : expected.items()) {
      EXPECT_EQ(pruned_elements(model.masks.at("model." + module + ".weight")),
                elements.get<std::vector<std::size_t>>())
          << one.at("checkpoint") << ' ' << one.at("steps").dump() << ' ' << module;
    }
  }
}

TEST(Masks, LeaveWeightsAloneUntilPermanent) {
  Model model = checkpoint("bart");
  const std::string name = "model.encoder.layers.0.fc1.weight";
  const Tensor before = model.tensor(name);
  magnitude_pruning(model, 0.5);
  EXPECT_EQ(model.tensor(name).bytes.data(), before.bytes.data());
  std::vector<float> expected = before.to_f32();
  for (const std::size_t i : pruned_elements(model.masks.at(name))) expected[i] = 0;
  EXPECT_EQ(model.effective_tensor(name).to_f32(), expected);

  Model reversed = model;
  remove_masks(reversed);
  EXPECT_TRUE(reversed.masks.empty());
  EXPECT_EQ(reversed.effective_tensor(name).to_f32(), before.to_f32());

  make_permanent(model);
  EXPECT_TRUE(model.masks.empty());
  EXPECT_TRUE(model.pruning.permanent);
  EXPECT_EQ(model.tensor(name).to_f32(), expected);
  // What nobody pruned is still borrowed.
  EXPECT_EQ(model.tensor("model.shared.weight").bytes.data(),
            reversed.tensor("model.shared.weight").bytes.data());
}

TEST(Masks, PermanentKeepsTheNumberFormat) {
  Model model = checkpoint("pegasus");  // stored in fp16
  const std::string name = "model.decoder.layers.1.fc2.weight";
  magnitude_pruning(model, 0.5);
  const std::vector<float> expected = model.effective_tensor(name).to_f32();
  make_permanent(model);
  EXPECT_EQ(model.tensor(name).dtype, DType::f16);
  EXPECT_EQ(model.tensor(name).to_f32(), expected);
}

std::string refusal(Model& model, const PruningOptions& options) {
  const auto before = model.masks;
  try {
    ModelPruner(model, options).prune();
  } catch (const Error& error) {
    EXPECT_EQ(model.masks, before);
    return error.what();
  }
  return "nothing was refused";
}

TEST(Refusals, NameWhatIsWrong) {
  Model model = checkpoint("bart");
  magnitude_pruning(model, 0.1);
  for (const double amount : {-0.1, 1.5, std::nan(""), std::numeric_limits<double>::infinity()}) {
    for (const auto method :
         {PruningMethod::magnitude, PruningMethod::structured, PruningMethod::global}) {
      EXPECT_THAT(refusal(model, {.method = method, .amount = amount}), HasSubstr("0 to 1"));
    }
  }
  EXPECT_THAT(refusal(model, {.method = PruningMethod::structured, .dim = 2}), HasSubstr("dim"));
  make_permanent(model);
  EXPECT_THAT(refusal(model, {}), HasSubstr("permanently"));
  PruningOptions forced;
  forced.targets.force = true;
  EXPECT_EQ(refusal(model, forced), "nothing was refused");
  EXPECT_THROW((void)norm_from_name("3"), Error);
  EXPECT_THROW((void)pruning_method_from_name("l1"), Error);
}

TEST(Refusals, WeightsThatAreNotNumbers) {
  for (const auto method :
       {PruningMethod::magnitude, PruningMethod::structured, PruningMethod::global}) {
    Model model = checkpoint("bart");
    Tensor& tensor = model.tensors.at("model.decoder.layers.1.encoder_attn.v_proj.weight");
    std::vector<float> values = tensor.to_f32();
    values[77] = -std::nanf("");
    tensor = Tensor::from_f32(tensor.shape, values);
    const std::string message = refusal(model, {.method = method, .amount = 0.3});
    EXPECT_THAT(message, HasSubstr("decoder.layers.1.encoder_attn.v_proj"));
    EXPECT_THAT(message, HasSubstr("element 77"));
  }
}

TEST(Stats, CountTheWholeModelAndEachLayer) {
  Model model = checkpoint("bart");
  const PruningStats dense = get_pruning_stats(model);
  EXPECT_EQ(dense.pruned_params, 0);
  EXPECT_EQ(dense.compression_ratio, 1);
  std::int64_t parameters = 0;
  for (const auto& [name, tensor] : model.tensors) {
    if (name != "final_logits_bias") parameters += tensor.elements();
  }
  EXPECT_EQ(dense.total_params, parameters);

  PruningOptions options{.amount = 0.5};
  options.targets.layers = {"fc1"};
  ModelPruner pruner(model, options);
  pruner.prune();
  const std::int64_t expected = 16 * (32 + 32 + 24 + 24) / 2;
  const PruningStats stats = pruner.stats();
  EXPECT_EQ(stats.total_params, parameters);
  EXPECT_EQ(stats.pruned_params, expected);
  EXPECT_EQ(stats.active_params, parameters - expected);
  EXPECT_DOUBLE_EQ(stats.sparsity, static_cast<double>(expected) / static_cast<double>(parameters));
  EXPECT_DOUBLE_EQ(stats.compression_ratio, 1 / (1 - stats.sparsity));
  ASSERT_EQ(stats.layers.size(), 2U * 6 + 2U * 10);
  for (const LayerPruning& layer : stats.layers) {
    EXPECT_EQ(layer.sparsity(), layer.name.ends_with("fc1") ? 0.5 : 0) << layer.name;
  }
  pruner.make_permanent();
  EXPECT_EQ(pruner.stats().pruned_params, expected);
  EXPECT_EQ(pruner.stats().total_params, parameters);

  const TemporaryFolder folder;
  pruner.save_stats(folder.path() / "pruning_stats.json");
  const json saved = json::parse(std::ifstream(folder.path() / "pruning_stats.json"));
  EXPECT_EQ(saved.size(), 6U);
  EXPECT_EQ(saved.at("total_params"), parameters);
  EXPECT_EQ(saved.at("pruned_params"), expected);
  EXPECT_EQ(saved.at("active_params"), parameters - expected);
  EXPECT_EQ(saved.at("sparsity"), stats.sparsity);
  EXPECT_EQ(saved.at("compression_ratio"), stats.compression_ratio);
  EXPECT_EQ(saved.at("layers").size(), stats.layers.size());
}

}  // namespace
}  // namespace kobolt
