#include "optimize/halving.h"

#include <algorithm>
#include <utility>

namespace kobolt {
namespace {

constexpr std::size_t kFactor = 3;  // documents of a step over those of the one before
constexpr std::size_t kFewestInStep = 24;

// By a value, largest first; but what is above a limit comes after all that is not.
template <typename Value>
std::vector<std::size_t> sorted(std::vector<std::size_t> places, const Goal& goal,
                                std::span<const Trial> trials, const Value& value) {
  std::ranges::stable_sort(places, {}, [&](std::size_t i) {
    const bool above = excess(goal, trials[i], Reading::estimates) > 0;
    return std::pair(above, -static_cast<double>(value(trials[i])));
  });
  return places;
}

}  // namespace

std::vector<std::size_t> halving_steps(std::size_t documents) {
  std::vector<std::size_t> steps{documents};
  while (steps.front() / kFactor >= kFewestInStep) {
    steps.insert(steps.begin(), steps.front() / kFactor);
  }
  return steps;
}

std::vector<std::size_t> survivors(const Goal& goal, std::span<const Trial> trials) {
  // Equal trials keep the order of the goal in every list.
  std::vector<std::size_t> order = ranked(goal, trials, Reading::doubtful);
  const auto hopeless = std::ranges::find_if(
      order, [&](std::size_t i) { return shortfall(goal, trials[i], Reading::doubtful) > 0; });
  if (hopeless != order.begin()) order.erase(hopeless, order.end());

  const auto by = [&](auto value) { return sorted(order, goal, trials, value); };
  const auto fidelity = by([](const Trial& trial) { return trial.fidelity; });
  std::vector lists{order, by([](const Trial& trial) { return trial.speed.ratio; }),
                    by([](const Trial& trial) { return -static_cast<double>(trial.file_bytes); }),
                    fidelity};
  // Where a limit has to be met, what is lost by meeting it decides.
  const OptimizeTargets& targets = goal.targets;
  if (targets.keep && (targets.latency || targets.size || targets.memory)) {
    lists = {order, fidelity, lists[1], fidelity, lists[2], fidelity};
  }
  const std::size_t wanted = std::min(order.size(), (trials.size() + 1) / 2);
  std::vector<std::size_t> chosen;
  for (std::size_t turn = 0; chosen.size() < wanted; ++turn) {
    const auto& list = lists[turn % lists.size()];
    const auto next = std::ranges::find_if(
        list, [&](std::size_t i) { return std::ranges::find(chosen, i) == chosen.end(); });
    chosen.push_back(*next);
  }
  return chosen;
}

}  // namespace kobolt
