#include "optimize/halving.h"

#include <algorithm>
#include <array>

namespace kobolt {
namespace {

constexpr std::size_t kFactor = 3;  // documents of a step over those of the one before
constexpr std::size_t kFewestInStep = 24;

template <typename Less>
std::vector<std::size_t> sorted(std::vector<std::size_t> places, const Less& less) {
  std::ranges::stable_sort(places, less);
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

  const std::array lists{
      order,
      sorted(order, [&](auto a, auto b) { return trials[a].speed.ratio > trials[b].speed.ratio; }),
      sorted(order, [&](auto a, auto b) { return trials[a].file_bytes < trials[b].file_bytes; }),
      sorted(order, [&](auto a, auto b) { return trials[a].kept > trials[b].kept; })};
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
