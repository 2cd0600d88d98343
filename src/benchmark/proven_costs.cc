#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "benchmark/timed_model.h"
#include "kobolt/benchmark.h"

namespace kobolt {

ProvenCosts prove_unit_costs(const Model& model, double amount, const UnitTimingOptions& given,
                             UnitCosts costs, PruningNorm norm, const PruningTargets& targets) {
  constexpr int kTrials = 3;
  constexpr double kCloseEnough = 0.1;  // of `amount`
  const UnitTimingOptions options = with_workers(given);
  Model dense_model = model;
  make_permanent(dense_model);
  TimedModel dense(dense_model, options);
  ProvenCosts proven{.costs = std::move(costs)};
  if (amount <= 0) return proven;  // nothing goes
  for (int trial = 0; trial < kTrials; ++trial) {
    Model pruned_model = model;
    global_unit_pruning(pruned_model, amount, norm, targets, proven.costs);
    make_permanent(pruned_model);
    TimedModel pruned(pruned_model, options);
    std::vector<double> ratios;
    for (int round = 0; round < options.rounds; ++round) {
      const double before = dense.seconds();
      ratios.push_back(pruned.seconds() / before);
      if (options.progress) {
        const auto rounds = static_cast<std::size_t>(options.rounds);
        const auto before_this = static_cast<std::size_t>(trial) * rounds;
        options.progress(
            {.done = before_this + static_cast<std::size_t>(round) + 1, .total = kTrials * rounds});
      }
    }
    proven.saved = 1.0 - median(std::move(ratios));
    if (trial + 1 == kTrials || std::abs(proven.saved - amount) <= kCloseEnough * amount) break;
    // A single trial is trusted up to a factor of 2: one that saved nothing says little.
    const double factor = std::clamp(proven.saved / amount, 0.5, 2.0);
    for (auto& [block, cost] : proven.costs.of_unit) cost *= factor;
  }
  return proven;
}

}  // namespace kobolt
