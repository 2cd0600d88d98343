#include "optimize/neighbours.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace kobolt {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::Not;

std::vector<std::string> names(const std::vector<Setting>& settings) {
  std::vector<std::string> all;
  for (const Setting& setting : settings) all.push_back(name_of(setting));
  return all;
}

ModelConfig two_layers() {
  ModelConfig config;
  config.encoder_layers.resize(2);
  config.decoder_layers.resize(2);
  return config;
}

TEST(Neighbours, DifferInOneThing) {
  OptimizeSpace space;
  space.beams = {0, 2};
  space.kv_caches = {KvCache::automatic, KvCache::fp16};
  space.threads = {0, 1};
  Setting setting;
  setting.compile.precision = Precision::int8;
  const auto found = names(neighbours(setting, Change::cheaper, space, two_layers()));
  for (const char* name :
       {"int8, 2 beams", "int8, 1 thread", "int8, KV cache fp16", "int8, structured+whole@0.1",
        "int8, global@0.2, stored sparsely", "int8, encoder.layers.*=int4", "int8, lm_head=int4"}) {
    EXPECT_THAT(found, Contains(name));
  }
}

TEST(Neighbours, WhatLosesTooMuchGetsFinerFormats) {
  Setting setting;
  setting.compile.precision = Precision::int4;
  const auto found = names(neighbours(setting, Change::finer, {}, two_layers()));
  EXPECT_THAT(found, Contains("int4, encoder.layers.*.fc1=int8"));
  EXPECT_THAT(found, Contains("int4, lm_head=fp16"));
  EXPECT_THAT(found, Not(Contains("int4, structured+whole@0.1")));
}

TEST(Neighbours, SharesOfInt4GoUpAndDown) {
  Setting setting;
  setting.compile.precision = Precision::int8;
  EXPECT_THAT(names(neighbours(setting, Change::cheaper, {}, two_layers())),
              Contains("int8, 50 % int4"));
  EXPECT_THAT(names(neighbours(setting, Change::finer, {}, two_layers())),
              Not(Contains("int8, 50 % int4")));
  setting.compile.int4_share = 0.3;
  EXPECT_THAT(names(neighbours(setting, Change::cheaper, {}, two_layers())),
              Contains("int8, 37.5 % int4"));
  EXPECT_THAT(names(neighbours(setting, Change::finer, {}, two_layers())),
              Contains("int8, 25 % int4"));
  EXPECT_THAT(names(neighbours(setting, Change::cheaper, {}, two_layers())),
              Not(Contains("int8, 30 % int4, encoder.layers.*=int4")));
  setting.compile = {.precision = Precision::int4};
  EXPECT_THAT(names(neighbours(setting, Change::finer, {}, two_layers())),
              Contains("int8, 75 % int4"));
}

TEST(Neighbours, SoMuchInt4ThatAFileFits) {
  ModelConfig config;
  config.d_model = 100;
  // 4 * 2 * 50 rows of attention and 2 * 300 of the ffn: 100 000 weights.
  config.encoder_layers = {{.self_heads = 2, .head_dim = 50, .ffn = 300}};
  Setting setting;
  setting.compile.precision = Precision::int8;
  // 8750 bytes are 20000 weights, a fifth; a little more, since whole matrices do not fit exactly.
  EXPECT_THAT(
      names(mixed_to_size(setting, 200000, 200000 - 8750, {}, config)),
      ElementsAre("int8, 22 % int4", "int8, 24 % int4", "int8, 27 % int4", "int8, 30 % int4"));
  EXPECT_TRUE(mixed_to_size(setting, 200000, 200000, {}, config).empty());
  EXPECT_TRUE(mixed_to_size(setting, 200000, 1000, {}, config).empty());
  EXPECT_TRUE(mixed_to_size(setting, 200000, 191250, {.mixed = false}, config).empty());
}

TEST(Neighbours, LayersOfAGroupGoBackOneByOne) {
  Setting setting;
  setting.compile.precision = Precision::int8;
  setting.compile.layers = {{.pattern = "decoder.layers.*", .precision = Precision::int4}};
  EXPECT_THAT(names(neighbours(setting, Change::finer, {}, two_layers())),
              Contains("int8, decoder.layers.*=int4, decoder.layers.1=int8"));
  EXPECT_THAT(names(neighbours(setting, Change::cheaper, {}, two_layers())),
              Contains("int8, decoder.layers.*=int4, encoder.layers.*=int4"));
}

TEST(Neighbours, NothingChangesToWhatItIs) {
  Setting setting;
  setting.compile.precision = Precision::int4;
  setting.compile.layers = {{.pattern = "encoder.layers.*", .precision = Precision::int8}};
  EXPECT_THAT(names(neighbours(setting, Change::finer, {}, two_layers())),
              Not(Contains("int4, encoder.layers.*=int8, encoder.layers.*.fc1=int8")));
}

TEST(Neighbours, KeepToWhatIsAllowed) {
  OptimizeSpace space{.precisions = {Precision::fp32, Precision::int8}, .mixed = true};
  space.prunings.clear();
  space.kv_caches = {KvCache::automatic};
  Setting setting;
  setting.compile.precision = Precision::int8;
  for (const Change change : {Change::cheaper, Change::finer}) {
    for (const Setting& other : neighbours(setting, change, space, two_layers())) {
      EXPECT_EQ(name_of(other), "int8");
    }
  }
  space.mixed = false;
  space.precisions = {Precision::int4};
  for (const std::string& name : names(first_settings(space))) EXPECT_EQ(name, "int4");
}

TEST(Neighbours, LayersThatGoLeaveNoZeros) {
  OptimizeSpace space;
  space.prunings = {pruning_step_from_name("encoder-layers@0.2")};
  for (const Precision precision : {Precision::int8, Precision::int4}) {
    Setting setting;
    setting.compile.precision = precision;
    EXPECT_THAT(names(neighbours(setting, Change::cheaper, space, two_layers())),
                Contains(std::string(name_of(precision)) + ", encoder-layers@0.2"));
  }
}

TEST(Neighbours, SingleZerosInFourBitsAreNoSetting) {
  Setting setting;
  setting.compile.precision = Precision::int4;
  const auto found = names(neighbours(setting, Change::cheaper, {}, two_layers()));
  EXPECT_THAT(found, Contains("int4, structured+whole@0.1"));
  EXPECT_THAT(found, Not(Contains("int4, global@0.2, stored sparsely")));
}

}  // namespace
}  // namespace kobolt
