#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "kobolt/error.h"
#include "kobolt/pruning_recipe.h"
#include "prune/pruned_model.h"

namespace kobolt {
namespace {

TEST(PruningRecipe, IsAMethodWithAdditions) {
  const PruningRecipe recipe = pruning_recipe_from_name("magnitude+16x1+wanda");
  EXPECT_EQ(recipe.method, PruningMethod::magnitude);
  EXPECT_EQ(recipe.pattern.kind, PruningPattern::Kind::block);
  EXPECT_EQ(recipe.score, PruningScore::wanda);
  EXPECT_EQ(recipe.unit, PruningUnit::channel);
  EXPECT_EQ(pruning_recipe_from_name("global+taylor").score, PruningScore::taylor);
  EXPECT_EQ(pruning_recipe_from_name("global+whole").unit, PruningUnit::whole);
  for (const char* wrong :
       {"", "+", "global+", "global+8x1", "16x1", "global+2:4", "layers", "encoder-layers+whole"}) {
    EXPECT_THROW((void)pruning_recipe_from_name(wrong), Error) << wrong;
  }
}

TEST(PruningStep, IsARecipeAndAnAmount) {
  const PruningStep step = pruning_step_from_name("structured+whole@0.1");
  EXPECT_EQ(step.recipe.name, "structured+whole");
  EXPECT_EQ(step.amount, 0.1);
  for (const PruningStep& each : default_pruning_steps()) {
    EXPECT_EQ(name_of(pruning_step_from_name(name_of(each))), name_of(each));
  }
  for (const char* wrong : {"", "global", "global@", "global@x", "global@0", "global@1", "@0.1",
                            "global@0.1x", "global@nan"}) {
    EXPECT_THROW((void)pruning_step_from_name(wrong), Error) << wrong;
  }
}

TEST(PruningStep, PrunesAndHeadsVanish) {
  Model masked = checkpoint("bart");
  prune(masked, pruning_step_from_name("global@0.25"));
  EXPECT_GT(get_pruning_stats(masked).pruned_params, 0);
  EXPECT_FALSE(masked.masks.empty());

  Model smaller = checkpoint("bart");
  const std::int64_t before = get_pruning_stats(smaller).total_params;
  prune(smaller, pruning_step_from_name("structured+whole@0.5"));
  EXPECT_TRUE(smaller.masks.empty());
  EXPECT_GT(smaller.pruning.removed_params, 0);
  EXPECT_EQ(get_pruning_stats(smaller).total_params, before);

  EXPECT_THROW(prune(smaller, pruning_step_from_name("row+wanda@0.5")), Error);
}

TEST(PruningStep, LayersOfASideGo) {
  const Model model = checkpoint("bart");
  const std::size_t encoder = model.config.encoder_layers.size();
  const std::size_t decoder = model.config.decoder_layers.size();
  ASSERT_GT(decoder, 1U);
  Model shallow = model;
  prune(shallow, pruning_step_from_name("decoder-layers@0.01"));
  EXPECT_EQ(shallow.config.encoder_layers.size(), encoder);
  EXPECT_EQ(shallow.config.decoder_layers.size(), decoder - 1);
  EXPECT_GT(shallow.pruning.removed_params, 0);
  // One has to stay.
  EXPECT_THROW(prune(shallow, pruning_step_from_name("encoder-layers@0.99")), Error);
}

TEST(PruningStep, ScoresLookAtEvidence) {
  Model model = checkpoint("bart");
  PruningEvidence evidence;
  for (const std::string& name : ModelPruner(model).target_layers()) {
    const std::string weight = "model." + name + ".weight";
    const auto elements = static_cast<std::size_t>(model.tensors.at(weight).elements());
    evidence.weight_gradients[weight] = std::vector<float>(elements, 1.0F);
  }
  // With equal derivatives the score is the magnitude.
  Model plain = model;
  prune(plain, pruning_step_from_name("global@0.25"));
  prune(model, pruning_step_from_name("global+taylor@0.25"), 0, evidence);
  EXPECT_EQ(model.masks, plain.masks);
  EXPECT_THROW(prune(model, pruning_step_from_name("row+wanda@0.5"), 0, evidence), Error);
}

}  // namespace
}  // namespace kobolt
