#include "optimize/goal.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "optimize/finale.h"

namespace kobolt {
namespace {

using ::testing::ElementsAre;

Trial trial(const char* name, double speed, std::uint64_t bytes, double kept) {
  Trial made{.name = name,
             .state = TrialState::judged,
             .kept = kept,
             .kept_low = kept - 0.01,
             .kept_high = kept + 0.01,
             .fidelity = kept,
             .latency_p95 = 1 / speed,
             .file_bytes = bytes};
  made.speed.ratio = speed;
  return made;
}

const Goal kKeep{.targets = {.keep = 0.99}, .baseline_bytes = 100};

TEST(Goal, MissesAddUp) {
  Goal goal = kKeep;
  goal.targets.size = 20;
  goal.targets.latency = 0.5;
  goal.targets.memory = 50;
  Trial missing = trial("a", 1, 30, 0.891);
  missing.peak_memory = 100;
  EXPECT_NEAR(shortfall(goal, missing, Reading::estimates), 0.1 + 0.5 + 1 + 1, 1e-9);
  EXPECT_EQ(shortfall(goal, trial("b", 2, 20, 0.99), Reading::estimates), 0);
}

TEST(Goal, DoubtIsReadInFavour) {
  const Trial near = trial("near", 1, 100, 0.985);
  EXPECT_GT(shortfall(kKeep, near, Reading::estimates), 0);
  EXPECT_EQ(shortfall(kKeep, near, Reading::doubtful), 0);
}

TEST(Goal, ShortSummariesMissTheGate) {
  Trial brief = trial("brief", 1, 100, 1);
  brief.quality.measures.back() = {.name = "length", .baseline = 50, .kept = 0.45};
  EXPECT_NEAR(shortfall(kKeep, brief, Reading::estimates), 0.5, 1e-9);
}

TEST(Goal, RanksByWhatIsPreferred) {
  const std::vector<Trial> trials{trial("fp32", 1, 100, 1), trial("fast", 3, 30, 0.992),
                                  trial("small", 2, 10, 0.991), trial("bad", 4, 5, 0.9)};
  EXPECT_THAT(ranked(kKeep, trials, Reading::estimates), ElementsAre(1, 2, 0, 3));
  Goal goal = kKeep;
  goal.prefer = OptimizeFor::size;
  EXPECT_THAT(ranked(goal, trials, Reading::estimates), ElementsAre(2, 1, 0, 3));
  goal = {.targets = {.size = 50}, .prefer = OptimizeFor::quality, .baseline_bytes = 100};
  EXPECT_EQ(ranked(goal, trials, Reading::estimates).front(), 1U);
}

TEST(Goal, TheFrontIsWhatNothingBeats) {
  std::vector<Trial> trials{trial("fp32", 1, 100, 1), trial("int8", 2, 30, 0.99),
                            trial("worse", 1.5, 40, 0.98), trial("int4", 1.5, 10, 0.97)};
  trials.push_back(trial("sampled", 9, 1, 1));
  trials.back().state = TrialState::screened;
  mark_front(trials);
  std::vector<bool> front;
  for (const Trial& each : trials) front.push_back(each.on_front);
  EXPECT_THAT(front, ElementsAre(true, true, false, true, false));
}

TEST(Finale, HalfOfTheFinalistsAreThoseOfHighestFidelity) {
  std::vector<Trial> trials{trial("fp32", 1, 100, 1), trial("a", 4, 30, 0.991),
                            trial("b", 3, 30, 0.992), trial("safe", 1.2, 50, 1.001),
                            trial("bad", 5, 5, 0.5)};
  EXPECT_THAT(choose_finalists(kKeep, trials, 2), ElementsAre(1, 3));
  EXPECT_THAT(choose_finalists(kKeep, trials, 9), ElementsAre(1, 2, 3, 4));
  // What misses the target is no finalist for its fidelity.
  trials[4].fidelity = 1;
  EXPECT_THAT(choose_finalists(kKeep, trials, 2), ElementsAre(1, 3));
}

TEST(Finale, OneEngineUnderTwoNamesIsOneFinalist) {
  std::vector<Trial> trials{trial("fp32", 1, 100, 1), trial("25 %", 4, 30, 0.991),
                            trial("26 %", 3.9, 30, 0.991), trial("other", 3, 29, 0.991)};
  EXPECT_THAT(choose_finalists(kKeep, trials, 2), ElementsAre(1, 3));
  // Another batch is another way to run it.
  trials[2].setting.batch = 8;
  EXPECT_THAT(choose_finalists(kKeep, trials, 9), ElementsAre(1, 2, 3));
}

// Finalists that pass on the documents held back.
std::vector<Trial> all_pass(std::vector<Trial> trials) {
  for (Trial& each : trials) {
    each.state = TrialState::finalist;
    each.held_back = GateReport{.passed = true};
  }
  return trials;
}

TEST(Finale, TheDocumentsHeldBackDecide) {
  auto trials = all_pass({trial("fp32", 1, 100, 1), trial("lucky", 4, 30, 0.991),
                          trial("unlucky", 3, 30, 0.985), trial("bad", 5, 30, 0.97)});
  EXPECT_EQ(choose(kKeep, trials).chosen, 1U);
  trials[1].held_back->passed = false;
  // fp32 keeps all, and is ranked before what seems to miss the gate; without it that one holds.
  EXPECT_EQ(choose(kKeep, trials).chosen, 0U);
  trials[0].state = TrialState::judged;
  EXPECT_EQ(choose(kKeep, trials).chosen, 2U);
  EXPECT_THAT(choose(kKeep, trials).refused, ElementsAre(1U));
  trials[2].held_back->passed = false;
  EXPECT_EQ(choose(kKeep, trials).chosen, std::nullopt);
}

TEST(Finale, OfEquallyGoodOnesTheFidelityDecides) {
  auto trials = all_pass({trial("fp32", 1, 100, 1), trial("a", 4, 30, 0.995),
                          trial("b", 3.95, 30, 0.992), trial("slow", 2, 30, 1)});
  EXPECT_EQ(choose(kKeep, trials).chosen, 1U);
  trials[2].fidelity = 0.999;
  EXPECT_EQ(choose(kKeep, trials).chosen, 2U);
  // Equally good is also what may be as fast as far as anybody knows.
  trials[3].speed.high = 4.1;
  EXPECT_EQ(choose(kKeep, trials).chosen, 3U);
}

}  // namespace
}  // namespace kobolt
