#include "optimize/search.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <optional>
#include <string>

#include "checkpoint/temporary_folder.h"
#include "kobolt/error.h"
#include "optimize/fake_laboratory.h"
#include "optimize/setting.h"
#include "optimize/trial_runner.h"

namespace kobolt {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class SearchTest : public ::testing::Test {
 protected:
  SearchTest() : laboratory_(clock_) {
    options_.data.resize(200, {.document = "text", .references = {"one two three four"}});
    options_.targets.keep = 0.99;
    options_.trials = folder_.path() / "trials.sqlite";
    split_ = split_documents(options_.data.size(), 0);
    config_.encoder_layers.resize(2);
    config_.decoder_layers.resize(2);
    laboratory_["fp32"] = {.speed = 1, .bytes = 1000};
    laboratory_["fp16"] = {.speed = 1.2, .bytes = 500};
    laboratory_["int8"] = {.speed = 2.5, .bytes = 270};
    laboratory_["int4"] = {.speed = 3, .bytes = 190, .right = wrong_every(10)};
  }

  static std::function<bool(std::size_t)> wrong_every(std::size_t n) {
    return [n](std::size_t document) { return document % n != 0; };
  }

  OptimizeResult run() {
    TrialStore store(options_.trials, {{"test", "1"}});
    return search(options_, config_, split_, laboratory_, store, clock_);
  }
  static std::optional<std::string> chosen(const OptimizeResult& result) {
    if (!result.chosen) return std::nullopt;
    return result.trials[*result.chosen].name;
  }

  const TemporaryFolder folder_;
  FakeClock clock_;
  FakeLaboratory laboratory_;
  OptimizeOptions options_;
  Split split_;
  ModelConfig config_;
};

TEST_F(SearchTest, FindsTheFastestThatKeepsEnough) {
  const OptimizeResult result = run();
  EXPECT_EQ(chosen(result), "int8");
  EXPECT_EQ(result.trials[0].name, "fp32");
  EXPECT_EQ(result.chosen, 1U);
  EXPECT_FALSE(result.out_of_time);
  EXPECT_EQ(result.searched_documents, 100U);
  const Trial& int8 = result.trials[1];
  EXPECT_EQ(int8.state, TrialState::finalist);
  EXPECT_TRUE(int8.on_front);
  EXPECT_EQ(int8.speed.ratio, 2.5);
  EXPECT_EQ(int8.peak_memory, 540U);
  ASSERT_TRUE(int8.held_back);
  EXPECT_TRUE(int8.held_back->passed);
}

TEST_F(SearchTest, CombinesWhatIsGoodByItself) {
  options_.space.kv_caches = {KvCache::automatic, KvCache::fp16};
  laboratory_["int8, KV cache fp16"] = {.speed = 2.8, .bytes = 270};
  laboratory_["int8, encoder.layers.*=int4, KV cache fp16"] = {.speed = 3.5, .bytes = 230};
  EXPECT_EQ(chosen(run()), "int8, encoder.layers.*=int4, KV cache fp16");
}

TEST_F(SearchTest, AnotherTargetTakesAnotherSetting) {
  options_.minutes = 2;  // there are many ways to be small where nothing has to be kept
  options_.targets = {.size = 200};
  EXPECT_EQ(chosen(run()), "int4");
  // What was measured counts for this one too.
  options_.targets = {.keep = 0.99, .size_share = 0.3};
  EXPECT_EQ(chosen(run()), "int8");
  EXPECT_EQ(laboratory_.most_repeated(), 1);
}

TEST_F(SearchTest, WhatAnEarlierRunJudgedIsACandidate) {
  // No wave comes to that one for these targets.
  const std::string odd = "int8, decoder.layers.0=int4, encoder.layers.1=int4";
  laboratory_[odd] = {.speed = 3.2, .bytes = 240};
  EXPECT_EQ(chosen(run()), "int8");
  {
    TrialStore store(options_.trials, {{"test", "1"}});
    TrialRunner runner(options_, split_, laboratory_, store, clock_);
    Trial trial = TrialRunner::fresh(setting_from_name(odd));
    ASSERT_TRUE(runner.judge(trial, split_.search.size()));
  }
  options_.targets = {.keep = 0.99, .size = 250};
  EXPECT_EQ(chosen(run()), odd);
  EXPECT_EQ(laboratory_.most_repeated(), 1);
  // What the space no longer has is none.
  options_.space.mixed = false;
  EXPECT_EQ(chosen(run()), std::nullopt);
}

TEST_F(SearchTest, FewerBeamsAndLargerBatchesAreChosenWhereTheyMay) {
  laboratory_["int8, greedy"] = {.speed = 3.5, .bytes = 270};
  laboratory_["int8, batch 8"] = {.speed = 4, .bytes = 270, .latency = 3};
  laboratory_["int8, greedy, batch 8"] = {.speed = 5, .bytes = 270, .latency = 2};
  EXPECT_EQ(chosen(run()), "int8");
  options_.space.beams = {0, 1};
  EXPECT_EQ(chosen(run()), "int8, greedy");
  options_.space.batches = {0, 8};
  EXPECT_EQ(chosen(run()), "int8, greedy, batch 8");
  // All of a batch wait for its end.
  options_.targets.latency = 1;
  EXPECT_EQ(chosen(run()), "int8, greedy");
}

TEST_F(SearchTest, WhatDoesNotHoldOnOtherDocumentsIsRefused) {
  const std::set<std::size_t> held_back(split_.held_back.begin(), split_.held_back.end());
  laboratory_["int4"].right = [held_back](std::size_t d) {
    return !held_back.contains(d) || d % 5 != 0;
  };
  const OptimizeResult result = run();
  EXPECT_EQ(chosen(result), "int8");
  ASSERT_EQ(result.refused.size(), 1U);
  EXPECT_EQ(result.trials[result.refused[0]].name, "int4");
}

TEST_F(SearchTest, WhatNobodyCanMeetNamesTheClosest) {
  options_.targets = {.keep = 0.99, .size = 100};
  const OptimizeResult result = run();
  EXPECT_EQ(result.chosen, std::nullopt);
  ASSERT_TRUE(result.closest);
  EXPECT_EQ(result.trials[*result.closest].name, "int4");
}

TEST_F(SearchTest, NothingBetterLeavesFp32) {
  for (const char* name : {"fp16", "int8", "int4"}) laboratory_[name].right = wrong_every(3);
  laboratory_.other().right = wrong_every(3);
  EXPECT_EQ(chosen(run()), "fp32");
}

TEST_F(SearchTest, AKilledSearchGoesOnWhereItWas) {
  const std::string whole = *chosen(run());
  for (const std::size_t documents : {50U, 130U, 350U, 700U}) {
    std::filesystem::remove(options_.trials);
    FakeLaboratory fresh(clock_);
    for (const char* name : {"fp32", "fp16", "int8", "int4"}) fresh[name] = laboratory_[name];
    const auto run_fresh = [&] {
      TrialStore store(options_.trials, {{"test", "1"}});
      return search(options_, config_, split_, fresh, store, clock_);
    };
    fresh.fail_after(documents);
    EXPECT_THROW((void)run_fresh(), std::logic_error);
    fresh.fail_after(static_cast<std::size_t>(-1));
    const OptimizeResult result = run_fresh();
    EXPECT_EQ(chosen(result), whole);
    EXPECT_EQ(result.resumed_trials > 0, documents > 100);  // the baseline has 100
    // Only the trial under way was lost.
    EXPECT_LE(fresh.most_repeated(), 2);
  }
}

TEST_F(SearchTest, KeepsToItsTime) {
  options_.minutes = 0.1;  // the baseline takes a second, the comparison of finalists five
  const OptimizeResult result = run();
  EXPECT_TRUE(result.out_of_time);
  EXPECT_LT(result.seconds, 12);
  EXPECT_TRUE(result.chosen);
}

TEST_F(SearchTest, ASettingThatCannotBeMadeIsNotTheEnd) {
  laboratory_.other().error = "nothing is left";
  const OptimizeResult result = run();
  EXPECT_EQ(chosen(result), "int8");
  const Trial& last = result.trials.back();
  EXPECT_EQ(last.state, TrialState::failed);
  EXPECT_THAT(last.error, HasSubstr("nothing is left"));
}

TEST_F(SearchTest, TheBaselineHasToRunAndScore) {
  laboratory_["fp32"].error = "out of order";
  EXPECT_THROW((void)run(), Error);
  std::filesystem::remove(options_.trials);
  laboratory_["fp32"] = {.right = [](std::size_t) { return false; }};
  EXPECT_THROW((void)run(), Error);
}

TEST(Split, HalvesAreDrawnAndNeverMeet) {
  const Split split = split_documents(9, 1);
  EXPECT_EQ(split.search.size(), 5U);
  EXPECT_EQ(split.held_back.size(), 4U);
  std::set<std::size_t> all(split.search.begin(), split.search.end());
  all.insert(split.held_back.begin(), split.held_back.end());
  EXPECT_EQ(all.size(), 9U);
  EXPECT_EQ(split_documents(9, 1).search, split.search);
  EXPECT_NE(split_documents(100, 1).search, split_documents(100, 2).search);
  EXPECT_THROW((void)split_documents(1, 0), Error);
}

}  // namespace
}  // namespace kobolt
