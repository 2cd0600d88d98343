#include "prune/targets.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "kobolt/error.h"
#include "prune/pruned_model.h"

namespace kobolt {
namespace {

using testing::Each;
using testing::EndsWith;
using testing::HasSubstr;

std::vector<std::string> chosen(const std::string& name, std::vector<std::string> layers,
                                bool force = false) {
  return target_tensors(checkpoint(name), {.layers = std::move(layers), .force = force});
}

std::string refusal(const std::string& name, const std::string& pattern) {
  try {
    (void)chosen(name, {pattern});
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::invalid_argument);
    return error.what();
  }
  return "nothing was refused";
}

TEST(Targets, AreAllLinearLayersByDefault) {
  const auto all = chosen("bart", {});
  EXPECT_EQ(all.size(), 2U * 6 + 2U * 10);
  EXPECT_THAT(all, Each(HasSubstr(".layers.")));
  EXPECT_EQ(all.front(), "model.encoder.layers.0.self_attn.q_proj.weight");
  EXPECT_EQ(all.back(), "model.decoder.layers.1.fc2.weight");
}

TEST(Targets, AreNamedWholeOrByTheEndOfTheirNames) {
  EXPECT_EQ(chosen("bart", {"fc1"}).size(), 4U);
  EXPECT_THAT(chosen("bart", {"fc1"}), Each(EndsWith(".fc1.weight")));
  EXPECT_EQ(chosen("bart", {"q_proj"}).size(), 6U);
  EXPECT_EQ(chosen("bart", {"encoder_attn"}).size(), 8U);
  EXPECT_EQ(chosen("bart", {"encoder_attn.v_proj"}).size(), 2U);
  EXPECT_EQ(chosen("bart", {"encoder.layers.*.self_attn.*"}).size(), 8U);
  EXPECT_EQ(chosen("bart", {"model.encoder.layers.1"}).size(), 6U);
  EXPECT_EQ(chosen("bart", {"fc1", "fc*", "encoder.layers.0.fc2"}).size(), 8U);
  EXPECT_EQ(chosen("bart", {"*"}).size(), 32U);
  EXPECT_EQ(chosen("bart", {"encoder"}).size(), 12U);
}

TEST(Targets, ThatMatchNothingGetTheClosestNames) {
  EXPECT_THAT(refusal("bart", "fc3"), HasSubstr("fc1"));
  EXPECT_THAT(refusal("bart", "encoder.layers.9.fc1"), HasSubstr("encoder.layers.*.fc1"));
  EXPECT_THAT(refusal("bart", "encoder.layer.0.attention.self.query"),
              HasSubstr("encoder.layers.*.self_attn.q_proj"));
  EXPECT_THAT(refusal("bart", "encoder.layer.*.intermediate.dense"),
              HasSubstr("encoder.layers.*.fc1"));
  EXPECT_THAT(refusal("bart", "decoder.layer.3.crossattention.self.value"),
              HasSubstr("encoder_attn"));
  EXPECT_THAT(refusal("bart", ""), HasSubstr("closest"));
  // Norms are no linear layers.
  EXPECT_THAT(refusal("bart", "final_layer_norm"), HasSubstr("closest"));
}

TEST(Targets, EmbeddingsAndOutputOnlyByForce) {
  for (const char* pattern : {"shared", "lm_head", "model.shared"}) {
    EXPECT_THAT(refusal("bart", pattern), HasSubstr("output projection too"));
    EXPECT_EQ(chosen("bart", {pattern}, true), std::vector<std::string>{"model.shared.weight"});
  }
  EXPECT_THAT(refusal("bart-untied", "lm_head"), HasSubstr("the output projection"));
  EXPECT_THAT(refusal("bart", "encoder.embed_positions"), HasSubstr("an embedding"));
  EXPECT_EQ(chosen("bart-untied", {"lm_head"}, true), std::vector<std::string>{"lm_head.weight"});
  EXPECT_EQ(chosen("bart", {"fc1"}, true).size(), 4U);
}

}  // namespace
}  // namespace kobolt
