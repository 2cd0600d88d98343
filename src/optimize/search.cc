#include "optimize/search.h"

#include <iterator>
#include <utility>

#include "optimize/explore.h"
#include "optimize/finale.h"

namespace kobolt {
namespace {

constexpr std::size_t kFinalists = 4;

// The finalists with the baseline, judged on all documents and on those held back.
void compare_best(TrialRunner& runner, const Goal& goal, std::vector<Trial>& trials) {
  std::vector<Trial*> finalists{trials.data()};
  for (const std::size_t i : choose_finalists(goal, trials, kFinalists)) {
    if (runner.judge(trials[i], runner.search_documents())) finalists.push_back(&trials[i]);
  }
  runner.compare_finalists(finalists);
}

// The chosen one first, then as the goal has them; places in the result follow.
void sort_trials(const Goal& goal, std::vector<Trial> trials, const Choice& choice,
                 OptimizeResult& result) {
  std::vector<std::size_t> order = ranked(goal, trials, Reading::estimates);
  std::stable_partition(order.begin(), order.end(),
                        [&](std::size_t i) { return trials[i].state == TrialState::finalist; });
  std::stable_partition(order.begin(), order.end(),
                        [&](std::size_t i) { return choice.chosen == i; });
  std::stable_partition(order.begin(), order.end(), [](std::size_t i) { return i == 0; });
  std::vector<std::size_t> place(trials.size());
  for (std::size_t i = 0; i < order.size(); ++i) {
    place[order[i]] = i;
    result.trials.push_back(std::move(trials[order[i]]));
  }
  if (choice.chosen) result.chosen = place[*choice.chosen];
  if (choice.closest && !choice.chosen) result.closest = place[*choice.closest];
  for (const std::size_t i : choice.refused) result.refused.push_back(place[i]);
}

}  // namespace

OptimizeResult search(const OptimizeOptions& options, const ModelConfig& config, const Split& split,
                      Laboratory& laboratory, TrialStore& store, Clock& clock) {
  const std::size_t resumed = store.trials();
  TrialRunner runner(options, split, laboratory, store, clock);
  Goal goal{.targets = options.targets,
            .keep_length = options.keep_length,
            .prefer = options.prefer,
            .baseline_bytes = runner.baseline().file_bytes};
  if (options.targets.size_share) {
    goal.targets.size = static_cast<std::uint64_t>(*options.targets.size_share *
                                                   static_cast<double>(goal.baseline_bytes));
  }
  Exploration explored = explore(runner, goal, options.space, config, kFinalists);
  std::vector<Trial> trials{runner.baseline()};
  std::ranges::move(explored.trials, std::back_inserter(trials));
  compare_best(runner, goal, trials);
  mark_front(trials);

  OptimizeResult result{.searched_documents = split.search.size(),
                        .held_back_documents = split.held_back.size(),
                        .seconds = store.seconds(),
                        .out_of_time = explored.out_of_time,
                        .resumed_trials = resumed};
  const Choice choice = choose(goal, trials);
  sort_trials(goal, std::move(trials), choice, result);
  return result;
}

}  // namespace kobolt
