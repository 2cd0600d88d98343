#include "cli/optimize_flags.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "base/mapped_file.h"
#include "cli/command.h"
#include "cli/settings_file.h"

namespace kobolt::cli {
namespace {

using ::testing::HasSubstr;

constexpr const char* kFile = KOBOLT_SOURCE_DIR "/configs/inference/optimize.yaml";

class OptimizeFlagsTest : public ::testing::Test {
 protected:
  OptimizeFlagsTest() {
    prepare_app(app_, global_);
    command_ = &add_command(app_, "optimize", "", "");
    add_options(*command_, flags_);
  }
  const OptimizeFlags& parse(const std::string& more) {
    app_.parse(std::string("optimize model -o out --data ") + kFile + " " + more);
    return flags_;
  }

  CLI::App app_;
  GlobalOptions global_;
  CLI::App* command_ = nullptr;
  OptimizeFlags flags_;
};

// The file in the repository holds every option, with its default.
TEST_F(OptimizeFlagsTest, TheConfigurationFileChangesNothing) {
  const OptimizeFlags defaults = flags_;
  const OptimizeFlags read = parse(std::string("--config ") + kFile);
  EXPECT_EQ(read.prefer, defaults.prefer);
  EXPECT_EQ(read.minutes, defaults.minutes);
  EXPECT_EQ(read.batch, defaults.batch);
  EXPECT_EQ(read.limit, defaults.limit);
  EXPECT_EQ(read.fields.document_field, defaults.fields.document_field);
  EXPECT_EQ(read.fields.summary_field, defaults.fields.summary_field);
  EXPECT_EQ(read.rouge_tokens, defaults.rouge_tokens);
  EXPECT_EQ(read.seed, defaults.seed);
  EXPECT_EQ(read.precisions, defaults.precisions);
  EXPECT_EQ(read.no_mixed, defaults.no_mixed);
  EXPECT_EQ(read.prunings, defaults.prunings);
  EXPECT_EQ(read.kv_caches, defaults.kv_caches);
  EXPECT_EQ(read.beams, defaults.beams);
  EXPECT_EQ(read.threads, defaults.threads);
  EXPECT_EQ(read.batches, defaults.batches);
  EXPECT_EQ(optimize_options(read).targets.keep, 0.99);
  EXPECT_EQ(optimize_options(defaults).targets.keep, 0.99);

  const std::string yaml = read_text_file(kFile);
  for (const CLI::Option* option : command_->get_options()) {
    if (option->get_lnames().empty() || option->get_lnames().front() == "help" ||
        option->get_lnames().front() == "output") {
      continue;
    }
    EXPECT_THAT(yaml, HasSubstr(option->get_lnames().front() + ":"));
  }
}

TEST_F(OptimizeFlagsTest, TargetsHaveUnits) {
  const OptimizeTargets targets =
      optimize_options(parse("--latency 50ms --size 25% --memory 1GB")).targets;
  EXPECT_FALSE(targets.keep);
  EXPECT_EQ(targets.latency, 0.05);
  EXPECT_EQ(targets.size_share, 0.25);
  EXPECT_FALSE(targets.size);
  EXPECT_EQ(targets.memory, 1000000000U);
}

TEST_F(OptimizeFlagsTest, ASizeMayBeSoManyTimesSmaller) {
  EXPECT_EQ(optimize_options(parse("--size 4x")).targets.size_share, 0.25);
  EXPECT_EQ(optimize_options(parse("--size 60MB")).targets.size, 60000000U);
  EXPECT_FALSE(optimize_options(parse("--size 60MB")).targets.size_share);
}

TEST_F(OptimizeFlagsTest, ListsSayWhatMayBeChanged) {
  const OptimizeSpace space =
      optimize_options(parse("--try-beams 4,2,1 --try-pruning none --try-precision int8 "
                             "--try-batch 1,8 --try-threads 1 --no-mixed"))
          .space;
  EXPECT_EQ(space.beams, (std::vector{4, 2, 1}));
  EXPECT_TRUE(space.prunings.empty());
  EXPECT_EQ(space.precisions, std::vector{Precision::int8});
  EXPECT_EQ(space.batches, (std::vector{1, 8}));
  EXPECT_EQ(space.threads, std::vector{1});
  EXPECT_FALSE(space.mixed);
}

TEST(SettingsFile, SaysOnlyWhatIsNotTheDefault) {
  EXPECT_EQ(settings_yaml({}, "one\ntwo"), "# one\n# two\ncompile:\n  precision: fp32\n");
  Setting setting{.kv_cache = KvCache::int8, .beams = 2, .threads = 1, .batch = 8};
  setting.compile = {.precision = Precision::int8,
                     .layers = {{.pattern = "lm_head", .precision = Precision::fp16}},
                     .sparse = SparseStorage::smallest};
  setting.compile.int4_share = 0.125;
  setting.pruning = pruning_step_from_name("global@0.3");
  const std::string yaml = settings_yaml(setting, "");
  for (const char* part :
       {"precision: int8", "- lm_head=fp16", "int4-share: 12.5%", "sparse: small",
        "prune: global@0.3", "num-beams: 2", "\nkv-cache: int8", "\nbatch: 8", "\nthreads: 1"}) {
    EXPECT_THAT(yaml, HasSubstr(part));
  }
  EXPECT_THAT(settings_yaml(setting, "", {.calibration = "best/calibration.jsonl"}),
              HasSubstr("calibration-data: best/calibration.jsonl\n  calibration-samples: 0\n"));
}

}  // namespace
}  // namespace kobolt::cli
