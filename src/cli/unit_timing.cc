#include "cli/unit_timing.h"

#include <algorithm>
#include <utility>

#include "cli/progress.h"

namespace kobolt::cli {

BenchmarkOptions timed_work(const Model& model) {
  return {.batch = 1,
          .sequence = std::min(512, model.config.max_positions),
          .beams = model.generation.num_beams,
          .new_tokens = std::min(64, model.config.max_positions - 1)};
}

ProvenCosts time_units(const Model& model, const PruningOptions& pruning, Precision precision,
                       const GlobalOptions& global) {
  UnitTimingOptions options{.work = timed_work(model),
                            .compile = {.precision = precision},
                            .engine = {.threads = global.threads}};
  const auto show_on = [&options](ProgressBar& bar) {
    options.progress = [&bar](const Progress& progress) {
      bar.update(progress.done, progress.total);
    };
  };
  ProgressBar measuring("timing heads and neurons", "rounds", global);
  show_on(measuring);
  UnitCosts costs = measure_unit_costs(model, options);
  ProgressBar proving("timing what goes", "rounds", global);
  show_on(proving);
  return prove_unit_costs(model, pruning.amount, options, std::move(costs), pruning.norm,
                          pruning.targets);
}

std::vector<std::pair<std::string, double>> costs_by_kind(const UnitCosts& costs) {
  std::vector<std::pair<std::string, double>> kinds;
  for (const auto& [block, cost] : costs.of_unit) {
    std::string kind = block.substr(0, block.find('.')) + " " + block.substr(block.rfind('.') + 1);
    if (std::ranges::find(kinds, kind, [](const auto& known) { return known.first; }) ==
        kinds.end()) {
      kinds.emplace_back(std::move(kind), cost);
    }
  }
  return kinds;
}

}  // namespace kobolt::cli
