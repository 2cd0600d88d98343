#include "optimize/goal.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace kobolt {
namespace {

// What a latency measured in a few rounds may be off by; and what another change of a setting may
// still take off its latency, size or memory.
constexpr double kDoubt = 0.15;
// Of two settings for speed a file of half the size makes up for 7 % of speed (2^0.1); likewise the
// other way round.
constexpr double kTieBreak = 0.1;

double over(double value, double limit) { return limit > 0 ? std::max(0.0, value / limit - 1) : 0; }

double missing_quality(const Goal& goal, const Trial& trial, Reading reading) {
  if (!goal.targets.keep) return 0;
  const double kept = reading == Reading::doubtful ? trial.kept_high : trial.kept;
  double missing = std::max(0.0, 1 - kept / *goal.targets.keep);
  const GateMeasure& length = trial.quality.measures.back();
  if (length.baseline > 0) missing += std::max(0.0, 1 - length.kept / goal.keep_length);
  return missing;
}

bool at_least_as_good(const Trial& a, const Trial& b) {
  return a.speed.ratio >= b.speed.ratio && a.file_bytes <= b.file_bytes && a.kept >= b.kept;
}

bool counts(const Trial& trial) {
  return trial.state == TrialState::judged || trial.state == TrialState::finalist;
}

}  // namespace

double excess(const Goal& goal, const Trial& trial, Reading reading) {
  const double doubt = reading == Reading::doubtful ? 1 + kDoubt : 1;
  double sum = 0;
  if (goal.targets.latency) sum += over(trial.latency_p95, *goal.targets.latency * doubt);
  if (goal.targets.size) {
    sum += over(static_cast<double>(trial.file_bytes),
                static_cast<double>(*goal.targets.size) * doubt);
  }
  if (goal.targets.memory) {
    sum += over(static_cast<double>(trial.peak_memory),
                static_cast<double>(*goal.targets.memory) * doubt);
  }
  return sum;
}

double shortfall(const Goal& goal, const Trial& trial, Reading reading) {
  return missing_quality(goal, trial, reading) + excess(goal, trial, reading);
}

double merit(const Goal& goal, const Trial& trial) {
  const double speed = std::log(std::max(trial.speed.ratio, 1e-9));
  const double smaller =
      std::log(static_cast<double>(goal.baseline_bytes) /
               static_cast<double>(std::max<std::uint64_t>(1, trial.file_bytes)));
  switch (goal.prefer) {
    case OptimizeFor::size:
      return smaller + kTieBreak * speed;
    case OptimizeFor::quality:
      // What is kept, in percent: a tenth of a percent is worth 10 % of speed.
      return 100 * trial.kept + speed;
    case OptimizeFor::speed:
      break;
  }
  return speed + kTieBreak * smaller;
}

std::vector<std::size_t> ranked(const Goal& goal, std::span<const Trial> trials, Reading reading) {
  std::vector<std::size_t> order(trials.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::sort(order, [&](std::size_t a, std::size_t b) {
    const double missing_a = shortfall(goal, trials[a], reading);
    const double missing_b = shortfall(goal, trials[b], reading);
    if (missing_a != missing_b) return missing_a < missing_b;
    // What is within the limits as it is comes before what another change might take there.
    const double excess_a = excess(goal, trials[a], Reading::estimates);
    const double excess_b = excess(goal, trials[b], Reading::estimates);
    if (excess_a != excess_b) return excess_a < excess_b;
    const double merit_a = merit(goal, trials[a]);
    const double merit_b = merit(goal, trials[b]);
    if (merit_a != merit_b) return merit_a > merit_b;
    return trials[a].name < trials[b].name;
  });
  return order;
}

void mark_front(std::span<Trial> trials) {
  for (Trial& trial : trials) {
    trial.on_front =
        counts(trial) && std::ranges::none_of(trials, [&](const Trial& other) {
          return counts(other) && at_least_as_good(other, trial) && !at_least_as_good(trial, other);
        });
  }
}

}  // namespace kobolt
