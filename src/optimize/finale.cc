#include "optimize/finale.h"

#include <algorithm>
#include <tuple>
#include <utility>

namespace kobolt {
namespace {

// Whether the gate is passed is for the documents held back to say. Those searched on nominate, and
// refuse only what misses it there beyond doubt.
bool holds(const Goal& goal, const Trial& trial) {
  if (excess(goal, trial, Reading::estimates) > 0) return false;
  if (!goal.targets.keep) return true;
  return shortfall(goal, trial, Reading::doubtful) == 0 && trial.held_back->passed;
}

// Whether one is as good for the goal as another, but for what the next run might show the other
// way round: 3 % of speed, or whatever its interval leaves open.
bool as_good(const Goal& goal, const Trial& trial, const Trial& best) {
  constexpr double kNoise = 0.03;
  Trial at_best = trial;
  at_best.speed.ratio = std::max(trial.speed.ratio, trial.speed.high);
  return merit(goal, at_best) >= merit(goal, best) - kNoise;
}

// Whether two are one engine under two names, as 25 and 26 % of int4 are where no matrix lies
// between.
bool alike(const Trial& a, const Trial& b) {
  return a.file_bytes == b.file_bytes && a.kept == b.kept && a.fidelity == b.fidelity &&
         a.setting.batch == b.setting.batch && a.setting.threads == b.setting.threads;
}

}  // namespace

std::vector<std::size_t> choose_finalists(const Goal& goal, std::span<const Trial> trials,
                                          std::size_t count) {
  std::vector<std::size_t> order = ranked(goal, trials, Reading::estimates);
  std::erase_if(order,
                [&](std::size_t i) { return i == 0 || trials[i].state == TrialState::failed; });
  // Those that saw all documents before those that saw a sample.
  std::stable_partition(order.begin(), order.end(),
                        [&](std::size_t i) { return trials[i].state == TrialState::judged; });
  std::vector<std::size_t> distinct;
  for (const std::size_t i : order) {
    const bool known = std::ranges::any_of(
        distinct, [&](std::size_t other) { return alike(trials[i], trials[other]); });
    if (!known) distinct.push_back(i);
  }
  order = std::move(distinct);
  if (order.size() <= count) return order;
  // Half of them are the best for the goal. What meets it by a hair on these documents may not on
  // others: the other half are those of highest fidelity.
  const auto rest = order.begin() + static_cast<std::ptrdiff_t>((count + 1) / 2);
  const auto as_required = [&](std::size_t i) {
    const bool judged = trials[i].state == TrialState::judged;
    return std::tuple(judged, -shortfall(goal, trials[i], Reading::estimates), trials[i].fidelity);
  };
  std::stable_sort(rest, order.end(),
                   [&](std::size_t a, std::size_t b) { return as_required(a) > as_required(b); });
  order.resize(count);
  const std::vector<std::size_t> by_goal = ranked(goal, trials, Reading::estimates);
  std::ranges::sort(order, {}, [&](std::size_t i) { return std::ranges::find(by_goal, i); });
  return order;
}

Choice choose(const Goal& goal, std::span<const Trial> trials) {
  Choice choice;
  std::optional<std::size_t> first;
  for (const std::size_t i : ranked(goal, trials, Reading::estimates)) {
    const Trial& trial = trials[i];
    if (trial.state != TrialState::finalist) continue;
    if (first) {
      const bool equal = holds(goal, trial) && as_good(goal, trial, trials[*first]);
      if (equal && trial.fidelity > trials[*choice.chosen].fidelity) choice.chosen = i;
    } else if (holds(goal, trial)) {
      first = choice.chosen = i;
    } else {
      if (!choice.closest) choice.closest = i;
      if (shortfall(goal, trial, Reading::estimates) == 0) choice.refused.push_back(i);
    }
  }
  return choice;
}

}  // namespace kobolt
