#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "kobolt/error.h"
#include "kobolt/prune.h"
#include "prune/channels.h"
#include "prune/targets.h"
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
  double damage;  ///< its share of its block's norm, for each parameter that it costs
  std::size_t group;
  std::int64_t unit;
  std::int64_t params;
};

// A row or column of d_model weights in each matrix, and the biases of rows.
std::int64_t unit_params(const UnitGroup& group, int d_model) {
  const auto sides = static_cast<std::int64_t>(group.sides.size());
  return group.width * (sides * d_model + sides - 1);
}

}  // namespace

void unit_pruning(Model& model, double amount, PruningNorm norm, const PruningTargets& targets) {
  check_amount(amount);
  const std::vector<UnitGroup> groups = chosen_groups(model, targets);
  PruningWork work(model, targets, tensors_of(groups));
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
    const std::vector<double> ranks = unit_ranks(model, group, work.masks(), norm);
    for (const std::int64_t unit : smallest(ranks, std::move(active), count)) {
      prune_unit(group, unit, work.masks());
    }
  }
  work.commit(fmt::format("{} of the heads and ffn neurons of each block", amount));
}

void global_unit_pruning(Model& model, double amount, PruningNorm norm,
                         const PruningTargets& targets) {
  check_amount(amount);
  const std::vector<UnitGroup> groups = chosen_groups(model, targets);
  PruningWork work(model, targets, tensors_of(groups));
  work.refuse_not_a_number();
  std::vector<RankedUnit> ranked;
  std::vector<std::int64_t> left;
  std::int64_t params = 0;
  for (std::size_t g = 0; g < groups.size(); ++g) {
    const std::vector<double> ranks = unit_ranks(model, groups[g], work.masks(), norm);
    const std::vector<std::int64_t> active = active_units(groups[g], work.masks());
    double whole = 0;
    for (const std::int64_t unit : active) whole += ranks[static_cast<std::size_t>(unit)];
    const std::int64_t cost = unit_params(groups[g], model.config.d_model);
    for (const std::int64_t unit : active) {
      const double part = whole > 0 ? ranks[static_cast<std::size_t>(unit)] / whole : 0;
      ranked.push_back({part / static_cast<double>(cost), g, unit, cost});
    }
    left.push_back(static_cast<std::int64_t>(active.size()));
    params += cost * left.back();
  }
  std::ranges::sort(ranked, {}, [](const RankedUnit& unit) {
    return std::tuple(unit.damage, unit.group, unit.unit);
  });
  std::int64_t budget = share_of(amount, params);
  for (const RankedUnit& unit : ranked) {
    // The last one of a block stays: an empty block is not a layer any more.
    if (unit.params > budget || left[unit.group] == 1) continue;
    prune_unit(groups[unit.group], unit.unit, work.masks());
    budget -= unit.params;
    --left[unit.group];
  }
  work.commit(fmt::format("{} of the parameters of all heads and ffn neurons", amount));
}

}  // namespace kobolt
