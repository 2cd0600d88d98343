#include "benchmark/loop.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <numeric>
#include <utility>
#include <vector>

#include "benchmark/fake_clock.h"

namespace kobolt {
namespace {

using ::testing::DoubleNear;
using ::testing::ElementsAre;
using ::testing::Pair;

// A batch takes 1 s to its first token and 0.5 s for each of two more steps.
class FakeWorkload : public Workload {
 public:
  explicit FakeWorkload(FakeClock& clock) : clock_(clock) {}
  BatchOutcome run(std::size_t first, std::size_t count) override {
    batches.emplace_back(first, count);
    clock_.pass(1);
    const double first_token = clock_.now();
    clock_.pass(1);
    return {.documents = count, .tokens = 3 * count, .steps = 3, .first_token = first_token};
  }
  std::vector<std::pair<std::size_t, std::size_t>> batches;

 private:
  FakeClock& clock_;
};

void nothing(std::size_t) {}

class LoopTest : public ::testing::Test {
 protected:
  FakeClock clock_;
  FakeWorkload workload_{clock_};
};

TEST_F(LoopTest, ClosedLoopTimesBatchesAndNotWhatIsBetween) {
  const LoopTimes times =
      closed_loop(workload_, 4, 3, 0, 0, clock_, [&](std::size_t) { clock_.pass(100); });
  EXPECT_THAT(workload_.batches, ElementsAre(Pair(0, 4), Pair(4, 4), Pair(8, 4)));
  EXPECT_THAT(times.latencies, ElementsAre(2, 2, 2));
  EXPECT_THAT(times.first_tokens, ElementsAre(1, 1, 1));
  EXPECT_THAT(times.per_token, ElementsAre(0.5, 0.5, 0.5));
  EXPECT_EQ(times.seconds, 6);
  EXPECT_EQ(times.documents, 12U);
  EXPECT_EQ(times.tokens, 36U);
}

TEST_F(LoopTest, ATimeBudgetStartsBatchesUntilItIsSpent) {
  EXPECT_EQ(closed_loop(workload_, 1, 1000, 5, 0, clock_, nothing).batches, 3U);
  EXPECT_EQ(closed_loop(workload_, 1, 1000, 0.01, 0, clock_, nothing).batches, 1U);
}

// The point of an open loop: the second document arrives while the first is at work and waits;
// its latency is 3.5 s although its own batch takes 2.
TEST_F(LoopTest, OpenLoopCountsFromTheArrival) {
  const std::vector<double> arrivals{0, 0.5, 10};
  const LoopTimes times = open_loop(workload_, arrivals, 1, 0, clock_, nothing);
  EXPECT_THAT(times.latencies, ElementsAre(2, 3.5, 2));
  EXPECT_THAT(times.waiting, ElementsAre(0, 1.5, 0));
  EXPECT_THAT(times.first_tokens, ElementsAre(1, 2.5, 1));
  EXPECT_EQ(times.seconds, 12);
  EXPECT_EQ(times.queued, 0U);
}

TEST_F(LoopTest, OpenLoopTakesTogetherWhatIsWaiting) {
  const std::vector<double> arrivals{0, 0.1, 0.2, 0.3, 0.4};
  const LoopTimes times = open_loop(workload_, arrivals, 3, 0, clock_, nothing);
  EXPECT_THAT(workload_.batches, ElementsAre(Pair(0, 1), Pair(1, 3), Pair(4, 1)));
  EXPECT_EQ(times.queued, 1U);
  EXPECT_THAT(times.latencies.back(), DoubleNear(5.6, 1e-9));
}

TEST_F(LoopTest, AnOverloadedLoopEndsAtItsDeadline) {
  std::vector<double> arrivals(100);
  std::iota(arrivals.begin(), arrivals.end(), 0.0);
  const LoopTimes times = open_loop(workload_, arrivals, 1, 9, clock_, nothing);
  EXPECT_EQ(times.batches, 5U);  // begun at 0, 2, 4, 6 and 8
  EXPECT_EQ(times.unserved, 95U);
}

// The number of arrivals of a Poisson process has its mean as its variance, and gaps have their
// mean as their deviation. Seeds are fixed: this either holds or does not.
TEST(ArrivalsTest, AreAPoissonProcess) {
  constexpr double kRate = 5;
  const std::vector<double> arrivals = poisson_arrivals(kRate, 20000, 0, 7);
  ASSERT_EQ(arrivals.size(), 20000U);
  double squares = 0;
  double last = 0;
  for (const double arrival : arrivals) {
    ASSERT_GE(arrival, last);
    squares += (arrival - last) * (arrival - last);
    last = arrival;
  }
  EXPECT_NEAR(arrivals.back() / 20000, 1 / kRate, 0.01 / kRate * 3);
  EXPECT_NEAR(squares / 20000, 2 / (kRate * kRate), 0.1 / (kRate * kRate));
  EXPECT_EQ(poisson_arrivals(kRate, 20000, 0, 7), arrivals);
  EXPECT_NE(poisson_arrivals(kRate, 20000, 0, 8), arrivals);
}

TEST(ArrivalsTest, KeepToATimeBudget) {
  const std::vector<double> arrivals = poisson_arrivals(100, 1, 10, 1);
  EXPECT_LT(arrivals.back(), 10);
  EXPECT_NEAR(static_cast<double>(arrivals.size()), 1000, 5 * 32);
  EXPECT_EQ(poisson_arrivals(0.001, 1, 1, 1).size(), 1U);
}

}  // namespace
}  // namespace kobolt
