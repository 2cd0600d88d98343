#include "benchmark/rounds.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <memory>
#include <random>
#include <utility>
#include <vector>

#include "benchmark/fake_clock.h"
#include "kobolt/error.h"

namespace kobolt {
namespace {

using ::testing::HasSubstr;

using Log = std::vector<std::pair<int, std::size_t>>;  // engine, first document

// Batches of `seconds`, longer by what the machine adds at that moment of its life and by noise.
class DriftingWorkload : public Workload {
 public:
  DriftingWorkload(int engine, double seconds, FakeClock& clock, std::mt19937_64& random, Log& log)
      : engine_(engine), seconds_(seconds), clock_(clock), random_(random), log_(log) {}

  BatchOutcome run(std::size_t first, std::size_t count) override {
    if (left_-- == 0) throw Error(ErrorKind::io, "the GPU is gone");
    log_.emplace_back(engine_, first);
    const double noise = std::exp(std::normal_distribution<double>(0, 0.02)(random_));
    clock_.pass(seconds_ * machine_(clock_.now()) * noise);
    return {.documents = count, .tokens = count};
  }
  void set_machine(double (*machine)(double)) { machine_ = machine; }
  void vanish_after(int batches) { left_ = batches; }

 private:
  int engine_;
  double seconds_;
  FakeClock& clock_;
  std::mt19937_64& random_;
  Log& log_;
  double (*machine_)(double) = [](double) { return 1.0; };
  int left_ = -1;
};

class RoundsTest : public ::testing::Test {
 protected:
  void add(double seconds) {
    owned_.push_back(std::make_unique<DriftingWorkload>(static_cast<int>(owned_.size()), seconds,
                                                        clock_, random_, log_));
    workloads_.push_back(owned_.back().get());
  }
  Comparison compare(CompareOptions options, std::span<const int> batches = {}) {
    options.work.warmup = 1;
    return compare_workloads(workloads_, options, clock_, batches);
  }

  FakeClock clock_;
  std::mt19937_64 random_{3};
  Log log_;
  std::vector<std::unique_ptr<DriftingWorkload>> owned_;
  std::vector<Workload*> workloads_;
};

TEST_F(RoundsTest, EveryEngineRunsEveryDocumentOnceARound) {
  add(1);
  add(2);
  add(3);
  const Comparison comparison = compare({.work = {.batch = 4}, .rounds = 10});
  ASSERT_EQ(comparison.batches_per_turn, 1);
  log_.erase(log_.begin(), log_.begin() + 6);  // warm-up: one batch, and one to time, of each
  ASSERT_EQ(log_.size(), 30U);
  bool shuffled = false;
  for (std::size_t round = 0; round < 10; ++round) {
    std::vector<int> engines;
    for (std::size_t turn = 0; turn < 3; ++turn) {
      engines.push_back(log_[3 * round + turn].first);
      EXPECT_EQ(log_[3 * round + turn].second, 4 * round);
    }
    shuffled = shuffled || engines != std::vector<int>{0, 1, 2};
    EXPECT_THAT(engines, ::testing::UnorderedElementsAre(0, 1, 2));
  }
  EXPECT_TRUE(shuffled);
  EXPECT_NEAR(comparison.engines[1].speed.ratio, 0.5, 0.02);
  EXPECT_EQ(verdict_of(comparison.engines[1].speed), Verdict::slower);
  EXPECT_EQ(comparison.engines[0].speed.ratio, 1);
  EXPECT_EQ(verdict_of(comparison.engines[0].speed), Verdict::same);
}

TEST_F(RoundsTest, BatchesOfTheirOwnCoverTheSameDocuments) {
  add(1);
  add(2);
  const int batches[] = {2, 6};
  const Comparison comparison = compare({.rounds = 8, .turn_seconds = 1}, batches);
  log_.erase(log_.begin(), log_.begin() + 4);
  ASSERT_EQ(comparison.batches_per_turn, 3);
  ASSERT_EQ(log_.size(), 8U * 4U);
  std::vector<std::vector<std::size_t>> starts(2);
  for (const auto& [engine, first] : log_)
    starts[static_cast<std::size_t>(engine)].push_back(first);
  for (std::size_t i = 0; i < starts[0].size(); ++i) EXPECT_EQ(starts[0][i], 2 * i);
  for (std::size_t i = 0; i < starts[1].size(); ++i) EXPECT_EQ(starts[1][i], 6 * i);
  // Three batches of a second beside one of two.
  EXPECT_NEAR(comparison.engines[1].speed.ratio, 1.5, 0.1);
}

TEST_F(RoundsTest, ShortBatchesAreRepeatedWithinATurn) {
  add(0.01);
  add(0.1);
  const Comparison comparison = compare({.rounds = 8, .turn_seconds = 0.05});
  EXPECT_GE(comparison.batches_per_turn, 5);
  EXPECT_LE(comparison.batches_per_turn, 6);
  EXPECT_EQ(comparison.engines[1].times.size(),
            8U * static_cast<std::size_t>(comparison.batches_per_turn));
}

TEST_F(RoundsTest, ATimeBudgetNeverGivesFewerRoundsThanTheIntervalNeeds) {
  add(1);
  EXPECT_EQ(compare({.seconds = 0.5, .confidence = 0.95}).rounds, 6);
  EXPECT_NEAR(compare({.seconds = 30}).rounds, 30, 2);
}

TEST_F(RoundsTest, AnEngineThatVanishesEndsItAndLosesOneRound) {
  add(1);
  add(2);
  owned_[1]->vanish_after(2 + 11);  // two to warm up
  const Comparison comparison = compare({.rounds = 20});
  EXPECT_EQ(comparison.rounds, 11);
  ASSERT_TRUE(comparison.failure);
  EXPECT_EQ(comparison.failure->engine, 1U);
  EXPECT_THAT(comparison.failure->error, HasSubstr("the GPU is gone"));
  for (const ComparedEngine& engine : comparison.engines) EXPECT_EQ(engine.rounds.size(), 11U);
  EXPECT_NEAR(comparison.engines[1].speed.ratio, 0.5, 0.02);
}

TEST_F(RoundsTest, AnEngineThatVanishesTooEarlyLeavesNothingToTell) {
  add(1);
  add(2);
  owned_[0]->vanish_after(2 + 5);
  EXPECT_THROW(compare({.rounds = 20}), Error);
}

TEST_F(RoundsTest, TooFewRoundsAreRefused) {
  add(1);
  try {
    compare({.rounds = 5});
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("rounds: out of range (found 5, expected 8 to 1000"));
  }
}

// The machine gets slower and slower, throttles now and then for a while, and swings: three times
// as long at its worst, far more than the engines' noise of 2 %.
double restless(double time) {
  const double t = time - 1000;
  const bool throttled = std::fmod(t, 37) < 9;
  return (1 + 0.01 * std::fmod(t, 300)) * (1.2 + 0.2 * std::sin(t / 3)) * (throttled ? 1.4 : 1.0);
}

// What the project promises: of 20 comparisons of an engine with itself, at least 19 include 1.
// 600 of them, with seeds of their own: expected at 99 % are 6 misses, and 15 would be 3.7 standard
// deviations more; 1 in 20 would be 30.
TEST_F(RoundsTest, EqualEnginesOnARestlessMachineAreEqual) {
  add(0.4);
  add(0.4);
  for (auto& workload : owned_) workload->set_machine(restless);
  int missed = 0;
  for (std::uint64_t seed = 0; seed < 600; ++seed) {
    const Comparison comparison = compare({.rounds = 12, .seed = seed});
    if (verdict_of(comparison.engines[1].speed) != Verdict::same) ++missed;
  }
  EXPECT_LE(missed, 15);
}

// And it still sees what is there: 10 % more work on the same machine.
TEST_F(RoundsTest, ASmallDifferenceIsSeenThroughTheDrift) {
  add(0.4);
  add(0.44);
  for (auto& workload : owned_) workload->set_machine(restless);
  const Comparison comparison = compare({.rounds = 60});
  EXPECT_EQ(verdict_of(comparison.engines[1].speed), Verdict::slower);
  EXPECT_LT(comparison.engines[1].speed.low, 1 / 1.1);
  EXPECT_GT(comparison.engines[1].speed.high, 1 / 1.1);
}

}  // namespace
}  // namespace kobolt
