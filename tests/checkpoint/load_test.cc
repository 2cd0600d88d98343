#include <gtest/gtest.h>

#include <filesystem>

#include "kobolt/model.h"
#include "model/layout.h"

namespace kobolt {
namespace {

const std::filesystem::path kModels = KOBOLT_SOURCE_DIR "/../shared/models";

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
  EXPECT_EQ(model.generation.early_stopping, EarlyStopping::yes);
  EXPECT_EQ(model.generation.eos_token_id, std::vector<std::int32_t>{1});
  EXPECT_EQ(model.generation.forced_eos_token_id, std::vector<std::int32_t>{1});
  EXPECT_EQ(model.generation.decoder_start_token_id, 1);

  for (const TensorSpec& spec : expected_tensors(model.config)) {
    if (!spec.required) continue;
    EXPECT_EQ(model.tensor(spec.name).shape, spec.shape) << spec.name;
  }
  EXPECT_EQ(model.tokenizer.count("tokenizer.json"), 1U);
  EXPECT_EQ(model.provenance.source_hash.size(), 32U);
}

}  // namespace
}  // namespace kobolt
