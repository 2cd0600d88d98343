#include "model/layout.h"

#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>

namespace kobolt {
namespace {

ModelConfig small() {
  ModelConfig config;
  config.vocab_size = 50;
  config.encoder_vocab_size = 50;
  config.d_model = 8;
  config.max_positions = 20;
  config.encoder_layers = {{.self_heads = 2, .head_dim = 4, .ffn = 16}};
  // Pruned: one head and two, a narrower ffn.
  config.decoder_layers = {{.self_heads = 1, .cross_heads = 2, .head_dim = 4, .ffn = 12}};
  return config;
}

std::map<std::string, TensorSpec> by_name(const ModelConfig& config) {
  std::map<std::string, TensorSpec> specs;
  for (TensorSpec& spec : expected_tensors(config)) {
    EXPECT_TRUE(specs.emplace(spec.name, spec).second) << spec.name << " twice";
  }
  return specs;
}

using Shape = std::vector<std::int64_t>;

TEST(Layout, FollowsTheShapeOfEachLayer) {
  const auto specs = by_name(small());
  EXPECT_EQ(specs.at("model.shared.weight").shape, (Shape{50, 8}));
  EXPECT_EQ(specs.at("model.encoder.embed_positions.weight").shape, (Shape{22, 8}));
  EXPECT_EQ(specs.at("model.encoder.layers.0.self_attn.q_proj.weight").shape, (Shape{8, 8}));
  EXPECT_EQ(specs.at("model.decoder.layers.0.self_attn.q_proj.weight").shape, (Shape{4, 8}));
  EXPECT_EQ(specs.at("model.decoder.layers.0.self_attn.out_proj.weight").shape, (Shape{8, 4}));
  EXPECT_EQ(specs.at("model.decoder.layers.0.self_attn.out_proj.bias").shape, (Shape{8}));
  EXPECT_EQ(specs.at("model.decoder.layers.0.encoder_attn.v_proj.bias").shape, (Shape{8}));
  EXPECT_EQ(specs.at("model.decoder.layers.0.fc1.weight").shape, (Shape{12, 8}));
  EXPECT_EQ(specs.at("model.decoder.layers.0.fc2.weight").shape, (Shape{8, 12}));
  EXPECT_EQ(specs.at("final_logits_bias").shape, (Shape{1, 50}));
  EXPECT_FALSE(specs.at("final_logits_bias").required);
  EXPECT_FALSE(specs.contains("lm_head.weight"));
  EXPECT_FALSE(specs.contains("model.encoder.layer_norm.weight"));
  EXPECT_FALSE(specs.contains("model.encoder.layers.0.encoder_attn.q_proj.weight"));
  EXPECT_EQ(specs.at("model.decoder.layers.0.fc2.weight").part, ModelPart::decoder);
  EXPECT_EQ(specs.at("model.shared.weight").part, ModelPart::embeddings);
}

TEST(Layout, FollowsTheFamilysDifferences) {
  ModelConfig config = small();
  config.positions = Positions::sinusoidal;
  config.embedding_norm = false;
  config.final_norm = true;
  config.tied_output = false;
  config.shared_embedding = false;
  config.encoder_vocab_size = 70;
  const auto specs = by_name(config);
  EXPECT_EQ(specs.at("model.encoder.embed_tokens.weight").shape, (Shape{70, 8}));
  EXPECT_EQ(specs.at("model.decoder.embed_tokens.weight").shape, (Shape{50, 8}));
  EXPECT_EQ(specs.at("lm_head.weight").part, ModelPart::output);
  EXPECT_EQ(specs.at("model.decoder.embed_positions.weight").shape, (Shape{20, 8}));
  EXPECT_FALSE(specs.at("model.decoder.embed_positions.weight").required);
  EXPECT_FALSE(specs.contains("model.shared.weight"));
  EXPECT_FALSE(specs.contains("model.encoder.layernorm_embedding.weight"));
  EXPECT_TRUE(specs.contains("model.decoder.layer_norm.bias"));
}

}  // namespace
}  // namespace kobolt
