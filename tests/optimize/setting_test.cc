#include "optimize/setting.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "kobolt/error.h"
#include "optimize/space.h"

namespace kobolt {
namespace {

using ::testing::ElementsAre;

TEST(Setting, ItsNameTellsEverything) {
  Setting setting{.kv_cache = KvCache::fp16, .beams = 1, .threads = 3};
  setting.compile = {.precision = Precision::int4,
                     .layers = {{.pattern = "lm_head", .precision = Precision::fp16}},
                     .sparse = SparseStorage::smallest};
  setting.pruning = pruning_step_from_name("global@0.3");
  Setting mixture;
  mixture.compile = {.precision = Precision::int8, .int4_share = 0.125};
  EXPECT_EQ(name_of(mixture), "int8, 12.5 % int4");
  EXPECT_EQ(name_of(setting),
            "int4, lm_head=fp16, global@0.3, stored sparsely, KV cache fp16, greedy, 3 threads");
  EXPECT_EQ(name_of(Setting{}), "fp32");
}

TEST(Setting, TheSameEngineAndRunHaveOneName) {
  Setting setting{.kv_cache = KvCache::int8};
  for (const Precision precision : {Precision::int8, Precision::int4}) {
    setting.compile.precision = precision;
    EXPECT_EQ(name_of(setting), name_of(precision));
  }
  setting.compile.precision = Precision::bf16;
  EXPECT_EQ(name_of(setting), "bf16, KV cache int8");
  setting.kv_cache = KvCache::fp16;
  EXPECT_EQ(name_of(setting), "bf16");
}

TEST(Setting, ItsNameCanBeReadAgain) {
  constexpr const char* kEverything =
      "bf16, encoder.layers.*=int8, decoder.layers.0=int4, global+taylor@0.3, stored sparsely, "
      "KV cache int8, 3 beams, 1 thread, batch 8";
  for (const char* name :
       {"fp32", "int8, 12.5 % int4", "int8, 23 % int4, lm_head=fp16", "int4, KV cache fp16, greedy",
        kEverything, "fp16, structured+whole@0.1, greedy, 16 threads"}) {
    EXPECT_EQ(name_of(setting_from_name(name)), name);
  }
  const Setting setting = setting_from_name("int8, 23 % int4, 2 beams, 4 threads, batch 8");
  EXPECT_EQ(setting.compile.int4_share, 0.23);
  EXPECT_EQ(setting.beams, 2);
  EXPECT_EQ(setting.threads, 4);
  EXPECT_EQ(setting.batch, 8);
  for (const char* wrong : {"", "int3", "int8, ", "int8, x beams", "int8, nothing", "int8, a@b"}) {
    EXPECT_THROW((void)setting_from_name(wrong), Error) << wrong;
  }
}

TEST(Space, WhatIsThereAnywayIsNoOtherWay) {
  OptimizeOptions options{.batch = 8, .threads = 2};
  options.space.beams = {4, 0, 2, 2};
  options.space.batches = {1, 8};
  options.space.threads = {2, 1};
  const OptimizeSpace space = distinct_space(options, 4);
  EXPECT_THAT(space.beams, ElementsAre(0, 2));
  EXPECT_THAT(space.batches, ElementsAre(1, 0));
  EXPECT_THAT(space.threads, ElementsAre(0, 1));
}

TEST(Space, HasWhatASearchInItMayArriveAt) {
  OptimizeSpace space{.precisions = {Precision::int8, Precision::fp16}};
  space.prunings = {pruning_step_from_name("structured+whole@0.1")};
  space.kv_caches = {KvCache::automatic};
  space.batches = {0, 8};
  for (const char* name :
       {"int8", "int8, batch 8", "int8, decoder.layers.*=fp16", "fp16, structured+whole@0.1"}) {
    EXPECT_TRUE(within(setting_from_name(name), space)) << name;
  }
  for (const char* name :
       {"fp32", "int4", "int8, 25 % int4", "int8, lm_head=int4", "int8, structured+whole@0.2",
        "int8, KV cache fp16", "int8, greedy", "int8, 1 thread", "int8, batch 4"}) {
    EXPECT_FALSE(within(setting_from_name(name), space)) << name;
  }
  space.mixed = false;
  EXPECT_FALSE(within(setting_from_name("int8, decoder.layers.*=fp16"), space));
}

}  // namespace
}  // namespace kobolt
