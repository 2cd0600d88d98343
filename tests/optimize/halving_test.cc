#include "optimize/halving.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace kobolt {
namespace {

using ::testing::ElementsAre;

Trial sampled(double speed, std::uint64_t bytes, double kept) {
  Trial trial{
      .kept = kept, .kept_low = kept, .kept_high = kept, .fidelity = kept, .file_bytes = bytes};
  trial.speed.ratio = speed;
  return trial;
}

TEST(Halving, EachStepHasThreeTimesAsMany) {
  EXPECT_THAT(halving_steps(398), ElementsAre(44, 132, 398));
  EXPECT_THAT(halving_steps(72), ElementsAre(24, 72));
  EXPECT_THAT(halving_steps(71), ElementsAre(71));
  EXPECT_THAT(halving_steps(1), ElementsAre(1));
}

TEST(Halving, GoodAtOneThingGoesOn) {
  const Goal goal{.targets = {.keep = 0.99}, .baseline_bytes = 100};
  const std::vector<Trial> trials{
      sampled(1.1, 60, 1.00),  sampled(3.0, 40, 0.99),  sampled(2.0, 20, 0.99),
      sampled(9.0, 10, 0.50),  sampled(2.9, 39, 0.991), sampled(1.0, 70, 0.999),
      sampled(1.2, 50, 0.995), sampled(1.3, 50, 0.995), sampled(1.4, 50, 0.995)};
  // The best for the goal is the fastest as well; then the next fastest, the smallest, the one of
  // highest fidelity; and the next best for the goal.
  EXPECT_THAT(survivors(goal, trials), ElementsAre(1, 4, 2, 0, 8));
}

TEST(Halving, WhereNoneMayMeetTheTargetTheClosestGoOn) {
  const Goal goal{.targets = {.size = 5}, .baseline_bytes = 100};
  const std::vector<Trial> trials{sampled(1, 60, 1), sampled(3, 40, 1), sampled(2, 20, 1)};
  EXPECT_THAT(survivors(goal, trials), ElementsAre(2, 1));
}

}  // namespace
}  // namespace kobolt
