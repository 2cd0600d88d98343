#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "kobolt/error.h"
#include "kobolt/prune.h"
#include "prune/channels.h"
#include "prune/scores.h"
#include "prune/targets.h"
#include "prune/unit_pruning.h"
#include "prune/units.h"
#include "prune/work.h"

namespace kobolt {
namespace {

std::vector<UnitGroup> chosen_groups(const Model& model, const PruningTargets& targets) {
  return groups_with(unit_groups(model.config), target_tensors(model, targets));
}

std::vector<std::string> tensors_of(const std::vector<UnitGroup>& groups) {
  std::vector<std::string> tensors;
  for (const UnitGroup& group : groups) {
    for (const UnitSide& side : group.sides) tensors.push_back(side.tensor);
  }
  return tensors;
}

/// A head or neuron among all others.
struct RankedUnit {
  double damage;  ///< its share of its block's norm, or its own norm, for what it costs
  std::size_t group;
  std::int64_t unit;
  double cost;
};

// A row or column of d_model weights in each matrix, and the biases of rows.
std::int64_t unit_params(const UnitGroup& group, int d_model) {
  const auto sides = static_cast<std::int64_t>(group.sides.size());
  return group.width * (sides * d_model + sides - 1);
}

double unit_cost(const UnitGroup& group, const UnitCosts& costs, int d_model) {
  if (costs.of_unit.empty()) return static_cast<double>(unit_params(group, d_model));
  const auto found = costs.of_unit.find(group.name);
  const bool known = found != costs.of_unit.end();
  if (known && found->second >= 0 && std::isfinite(found->second)) return found->second;
  throw Error(ErrorKind::invalid_argument, "no cost of this block's heads or neurons",
              {.field = group.name,
               .found = known ? fmt::format("{}", found->second) : "nothing",
               .expected = "a number of at least 0"});
}

/// What may be spent on pruning, given what all units cost and what those cost that can go.
double budget_of(double amount, const UnitCosts& costs, double all, double removable) {
  if (costs.of_unit.empty()) {
    return static_cast<double>(share_of(amount, static_cast<std::int64_t>(all)));
  }
  const double budget = amount * costs.total;
  if (!(budget <= removable)) {
    throw Error(ErrorKind::invalid_argument, "heads and ffn neurons do not cost that much",
                {.field = "amount",
                 .found = fmt::format("{} of {:.4g}", amount, costs.total),
                 .expected = fmt::format("at most {:.4g} of it: {:.4g} is what can go",
                                         removable / costs.total, removable)});
  }
  return budget;
}

}  // namespace

void prune_units(Model& model, const PruningOptions& options) {
  const double amount = options.amount;
  check_amount(amount);
  const std::vector<UnitGroup> groups = chosen_groups(model, options.targets);
  PruningWork work(model, options.targets, tensors_of(groups));
  add_scores(work.pieces(), options);
  work.refuse_not_a_number();
  for (const UnitGroup& group : groups) {
    std::vector<std::int64_t> active = active_units(group, work.masks());
    const auto units = static_cast<std::int64_t>(active.size());
    const std::int64_t count = share_of(amount, units);
    if (count > 0 && count >= units) {
      throw Error(
          ErrorKind::invalid_argument,
          group.attention ? "this would remove every head" : "this would remove every neuron",
          {.field = group.name,
           .found = fmt::format("amount {} of {}", amount, units),
           .hint = "a smaller amount, or leave this block out (--layers)"});
    }
    const std::vector<double> ranks = unit_ranks(work.pieces(), group, options.norm);
    for (const std::int64_t unit : smallest(ranks, std::move(active), count)) {
      prune_unit(group, unit, work.masks());
    }
  }
  work.commit(fmt::format("{} of the heads and ffn neurons of each block", amount));
}

void prune_units_together(Model& model, const PruningOptions& options) {
  const double amount = options.amount;
  const UnitCosts& costs = options.unit_costs;
  check_amount(amount);
  const std::vector<UnitGroup> groups = chosen_groups(model, options.targets);
  PruningWork work(model, options.targets, tensors_of(groups));
  add_scores(work.pieces(), options);
  work.refuse_not_a_number();
  // What the loss changes by means the same in all blocks; norms of weights do not.
  const bool comparable = options.score == PruningScore::taylor;
  std::vector<RankedUnit> ranked;
  std::vector<std::int64_t> left;
  double all = 0;
  double removable = 0;
  for (std::size_t g = 0; g < groups.size(); ++g) {
    const std::vector<double> ranks = unit_ranks(work.pieces(), groups[g], options.norm);
    const std::vector<std::int64_t> active = active_units(groups[g], work.masks());
    double whole = 0;
    for (const std::int64_t unit : active) whole += ranks[static_cast<std::size_t>(unit)];
    const double cost = unit_cost(groups[g], costs, model.config.d_model);
    const auto count = static_cast<double>(active.size());
    left.push_back(static_cast<std::int64_t>(active.size()));
    all += cost * count;
    removable += cost * std::max(count - 1, 0.0);
    if (cost == 0) continue;
    for (const std::int64_t unit : active) {
      const double rank = ranks[static_cast<std::size_t>(unit)];
      const double damage = comparable ? rank : whole > 0 ? rank / whole : 0;
      ranked.push_back({damage / cost, g, unit, cost});
    }
  }
  std::ranges::sort(ranked, {}, [](const RankedUnit& unit) {
    return std::tuple(unit.damage, unit.group, unit.unit);
  });
  double budget = budget_of(amount, costs, all, removable);
  for (const RankedUnit& unit : ranked) {
    // The last one of a block stays: an empty block is not a layer any more.
    if (unit.cost > budget || left[unit.group] == 1) continue;
    prune_unit(groups[unit.group], unit.unit, work.masks());
    budget -= unit.cost;
    --left[unit.group];
  }
  work.commit(costs.of_unit.empty()
                  ? fmt::format("{} of the parameters of all heads and ffn neurons", amount)
                  : fmt::format("{} of the measured costs, in heads and ffn neurons", amount));
}

void unit_pruning(Model& model, double amount, PruningNorm norm, const PruningTargets& targets) {
  PruningOptions options;
  options.amount = amount;
  options.norm = norm;
  options.targets = targets;
  prune_units(model, options);
}

void global_unit_pruning(Model& model, double amount, PruningNorm norm,
                         const PruningTargets& targets, const UnitCosts& costs) {
  PruningOptions options;
  options.amount = amount;
  options.norm = norm;
  options.targets = targets;
  options.unit_costs = costs;
  prune_units_together(model, options);
}

}  // namespace kobolt
