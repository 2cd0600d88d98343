#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "checkpoint/temporary_folder.h"
#include "kobolt/error.h"
#include "kobolt/prune.h"
#include "model/layout.h"
#include "prune/engine_logits.h"
#include "prune/pruned_model.h"

namespace kobolt {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(Depth, LayersCloseUp) {
  const Model whole = checkpoint("mbart");
  Model model = whole;
  magnitude_pruning(model, 0.5, {.layers = {"decoder.layers.1.fc1"}});
  drop_layers(model, {"encoder.layers.1", "decoder.layers.0"});
  EXPECT_EQ(model.config.encoder_layers.size(), 1U);
  EXPECT_EQ(model.config.decoder_layers.size(), 1U);
  for (const TensorSpec& spec : expected_tensors(model.config)) {
    EXPECT_EQ(model.tensor(spec.name).shape, spec.shape) << spec.name;
  }
  const std::string kept = "model.decoder.layers.0.encoder_attn.q_proj.bias";
  EXPECT_EQ(model.tensor(kept).to_f32(),
            whole.tensor("model.decoder.layers.1.encoder_attn.q_proj.bias").to_f32());
  EXPECT_EQ(model.masks.count("model.decoder.layers.0.fc1.weight"), 1U);
  EXPECT_EQ(model.masks.size(), 1U);
  EXPECT_EQ(get_pruning_stats(model).total_params, get_pruning_stats(whole).total_params);
  EXPECT_NE(engine_logits(model, Precision::fp32), engine_logits(whole, Precision::fp32));

  const TemporaryFolder folder;
  remove_masks(model);
  save_checkpoint(model, folder.path(), DType::f32);
  const Model again = Model::load(folder.path());
  EXPECT_EQ(again.config, model.config);
  EXPECT_THAT(again.raw_config, HasSubstr("\"decoder_layers\": 1"));
  EXPECT_EQ(engine_logits(again, Precision::fp32), engine_logits(model, Precision::fp32));
}

TEST(Depth, AreSpreadEvenly) {
  ModelConfig config;
  config.encoder_layers.resize(12);
  config.decoder_layers.resize(6);
  const auto dropped = [&](int encoder, int decoder) {
    return spread_layers(config, encoder, decoder);
  };
  EXPECT_THAT(dropped(12, 6), ElementsAre());
  EXPECT_THAT(dropped(12, 3),
              ElementsAre("decoder.layers.1", "decoder.layers.2", "decoder.layers.4"));
  EXPECT_THAT(dropped(12, 1),
              ElementsAre("decoder.layers.1", "decoder.layers.2", "decoder.layers.3",
                          "decoder.layers.4", "decoder.layers.5"));
  for (int keep = 1; keep <= 12; ++keep) {
    EXPECT_EQ(dropped(keep, 6).size(), 12U - static_cast<std::size_t>(keep));
  }
  EXPECT_THROW((void)dropped(13, 6), Error);
  EXPECT_THROW((void)dropped(12, 0), Error);
}

TEST(Depth, RefusesWhatLeavesNoModel) {
  Model model = checkpoint("bart");
  const auto refusal = [&](const std::vector<std::string>& layers) {
    try {
      drop_layers(model, layers);
    } catch (const Error& error) {
      return std::string(error.what());
    }
    return std::string("nothing was refused");
  };
  EXPECT_THAT(refusal({"decoder.layers.7"}), HasSubstr("decoder.layers.*"));
  EXPECT_THAT(refusal({"decoder.layers.*"}), HasSubstr("every layer of the decoder"));
  EXPECT_THAT(refusal({"encoder.layers.0", "encoder.layers.1"}), HasSubstr("encoder"));
  EXPECT_EQ(model.config, checkpoint("bart").config);
}

}  // namespace
}  // namespace kobolt
