#include "cli/unit_timing.h"

#include <algorithm>

#include "cli/progress.h"

namespace kobolt::cli {

BenchmarkOptions timed_work(const Model& model) {
  return {.batch = 1,
          .sequence = std::min(512, model.config.max_positions),
          .beams = model.generation.num_beams,
          .new_tokens = std::min(64, model.config.max_positions - 1)};
}

UnitCosts time_units(const Model& model, Precision precision, const GlobalOptions& global) {
  ProgressBar bar("timing heads and neurons", "rounds", global);
  return measure_unit_costs(model, {.work = timed_work(model),
                                    .compile = {.precision = precision},
                                    .engine = {.threads = global.threads},
                                    .progress = [&bar](const Progress& progress) {
                                      bar.update(progress.done, progress.total);
                                    }});
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
