#include "model/pattern.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "kobolt/error.h"

namespace kobolt {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;

ModelConfig three_layers() {
  ModelConfig config;
  config.vocab_size = config.encoder_vocab_size = 50;
  config.d_model = 8;
  config.max_positions = 20;
  config.encoder_layers.assign(12, {.self_heads = 2, .head_dim = 4, .ffn = 16});
  config.decoder_layers.assign(3, {.self_heads = 2, .cross_heads = 2, .head_dim = 4, .ffn = 16});
  return config;
}

std::vector<std::string> select(std::vector<std::string> patterns) {
  return select_modules(patterns, three_layers());
}

TEST(Pattern, NamesModulesAsPeopleDo) {
  EXPECT_EQ(module_of("model.encoder.layers.0.fc1.weight"), "encoder.layers.0.fc1");
  EXPECT_EQ(module_of("model.encoder.layers.0.fc1.bias"), "encoder.layers.0.fc1");
  EXPECT_EQ(module_of("lm_head.weight"), "lm_head");
  EXPECT_EQ(module_of("final_logits_bias"), "final_logits_bias");
}

TEST(Pattern, AStarStaysWithinItsPart) {
  EXPECT_THAT(select({"decoder.layers.*.fc1"}),
              ElementsAre("decoder.layers.0.fc1", "decoder.layers.1.fc1", "decoder.layers.2.fc1"));
  EXPECT_THAT(
      select({"encoder.layers.1*.fc2"}),
      ElementsAre("encoder.layers.1.fc2", "encoder.layers.10.fc2", "encoder.layers.11.fc2"));
  EXPECT_THAT(select({"*.layers.0.fc1"}),
              ElementsAre("encoder.layers.0.fc1", "decoder.layers.0.fc1"));
  EXPECT_FALSE(ModulePattern("encoder.*.fc1").matches("encoder.layers.0.fc1"));
  EXPECT_TRUE(ModulePattern("e*r.l*s.*.*_*").matches("encoder.layers.0.self_attn"));
  EXPECT_TRUE(ModulePattern("***").matches("shared"));
  EXPECT_FALSE(ModulePattern("").matches("shared"));
}

TEST(Pattern, ANameSelectsAllBelowIt) {
  const auto layer = select({"model.decoder.layers.2"});
  EXPECT_EQ(layer.size(), 13U);  // two attentions of four, three norms, fc1, fc2
  EXPECT_THAT(layer, Contains("decoder.layers.2.encoder_attn.q_proj"));
  EXPECT_FALSE(ModulePattern("encoder.layers.1").matches("encoder.layers.10.fc1"));
}

TEST(Pattern, SelectsInOrderAndOnce) {
  EXPECT_THAT(select({"decoder.layers.1.fc2", "decoder.layers.*.fc2", "shared"}),
              ElementsAre("shared", "decoder.layers.0.fc2", "decoder.layers.1.fc2",
                          "decoder.layers.2.fc2"));
}

TEST(Pattern, SuggestsWhatWasProbablyMeant) {
  const auto message = [](const std::string& pattern) -> std::string {
    try {
      select({"encoder", pattern});
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::invalid_argument);
      return error.what();
    }
    return "nothing refused";
  };
  EXPECT_THAT(message("encoder.layers.*.fc3"), HasSubstr("closest are encoder.layers.*.fc1"));
  EXPECT_THAT(message("decoder.layers.7.fc1"), HasSubstr("closest are decoder.layers.*.fc1"));
  EXPECT_THAT(message("decoder.layer"), HasSubstr("decoder.layers"));
  EXPECT_THAT(message(""), HasSubstr("\"\""));
  EXPECT_THAT(message(std::string(100'000, '*') + "x"), HasSubstr("closest"));
}

}  // namespace
}  // namespace kobolt
