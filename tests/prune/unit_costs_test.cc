#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <set>
#include <string>

#include "kobolt/benchmark.h"
#include "kobolt/error.h"
#include "prune/pruned_model.h"
#include "prune/units.h"

// Global pruning of heads and neurons by costs that are given; no clock is asked but in the last
// test, and that one expects nothing of it.
namespace kobolt {
namespace {

using testing::HasSubstr;

UnitCosts equal_costs(const Model& model, double cost) {
  UnitCosts costs;
  for (const UnitGroup& group : unit_groups(model.config)) {
    costs.of_unit[group.name] = cost;
    costs.total += cost * group.count;
  }
  return costs;
}

std::map<std::string, int> removed_units(const Model& model) {
  std::map<std::string, int> counts;
  for (const UnitGroup& group : unit_groups(model.config)) {
    counts[group.name] = group.count - static_cast<int>(active_units(group, model.masks).size());
  }
  return counts;
}

TEST(UnitCosts, TheAmountIsAShareOfTheirTotal) {
  for (const double amount : {0.0, 0.1, 0.3, 0.6}) {
    Model model = checkpoint("bart");
    UnitCosts costs = equal_costs(model, 1);
    for (const UnitGroup& group : unit_groups(model.config)) {
      if (group.attention) costs.of_unit[group.name] = 7;
    }
    costs.total = 200;  // heads and neurons together: 2 x (2 + 4 + 4) x 7 + 2 x (32 + 24) = 252
    global_unit_pruning(model, amount, PruningNorm::l2, {}, costs);
    double spent = 0;
    double cheapest = 7;
    for (const auto& [name, count] : removed_units(model)) spent += costs.of_unit.at(name) * count;
    for (const auto& [name, cost] : costs.of_unit) cheapest = std::min(cheapest, cost);
    EXPECT_LE(spent, amount * 200);
    EXPECT_GT(spent, amount * 200 - cheapest - 1e-9) << amount;
  }
}

TEST(UnitCosts, WhatCostsMoreGoesFirst) {
  Model cheap = checkpoint("bart");
  UnitCosts costs = equal_costs(cheap, 1);
  Model dear = cheap;
  global_unit_pruning(cheap, 0.3, PruningNorm::l2, {}, costs);
  const int before = removed_units(cheap).at("decoder.layers.1.ffn");
  // The same units, but those of one block are worth ten times as much to be rid of.
  costs.of_unit["decoder.layers.1.ffn"] = 10;
  costs.total += 9 * dear.config.decoder_layers[1].ffn;
  global_unit_pruning(dear, 0.3, PruningNorm::l2, {}, costs);
  EXPECT_GT(removed_units(dear).at("decoder.layers.1.ffn"), before);
  EXPECT_LT(removed_units(dear).at("encoder.layers.0.ffn"),
            removed_units(cheap).at("encoder.layers.0.ffn"));
}

TEST(UnitCosts, OfTheirParametersAreWhatNoCostsMean) {
  Model by_default = checkpoint("mbart");
  global_unit_pruning(by_default, 0.4);
  Model by_costs = checkpoint("mbart");
  UnitCosts costs;
  const int d = by_costs.config.d_model;
  for (const UnitGroup& group : unit_groups(by_costs.config)) {
    const auto sides = static_cast<double>(group.sides.size());
    costs.of_unit[group.name] = group.width * (sides * d + sides - 1);
    costs.total += costs.of_unit[group.name] * group.count;
  }
  global_unit_pruning(by_costs, 0.4, PruningNorm::l2, {}, costs);
  EXPECT_EQ(by_costs.masks, by_default.masks);
}

TEST(UnitCosts, WhatCostsNothingStays) {
  Model model = checkpoint("bart");
  UnitCosts costs = equal_costs(model, 1);
  for (auto& [name, cost] : costs.of_unit) cost = name.ends_with("ffn") ? 1 : 0;
  ModelPruner(model, {.method = PruningMethod::global,
                      .amount = 0.4,
                      .unit = PruningUnit::whole,
                      .unit_costs = costs})
      .prune();
  for (const auto& [name, count] : removed_units(model)) {
    if (!name.ends_with("ffn")) {
      EXPECT_EQ(count, 0) << name;
    }
  }
}

std::string refusal_of_costs(PruningOptions options, const UnitCosts& costs) {
  options.unit_costs = costs;
  return refused_pruning(options);
}

TEST(UnitCosts, RefuseWhatCannotBe) {
  const UnitCosts right = equal_costs(checkpoint("bart"), 1);
  const PruningOptions options{
      .method = PruningMethod::global, .amount = 0.5, .unit = PruningUnit::whole};
  UnitCosts costs = right;
  costs.total *= 3;
  EXPECT_THAT(refusal_of_costs(options, costs), HasSubstr("do not cost that much"));
  costs = right;
  costs.of_unit.erase("encoder.layers.1.ffn");
  EXPECT_THAT(refusal_of_costs(options, costs), HasSubstr("encoder.layers.1.ffn"));
  for (const double wrong : {-1.0, std::nan(""), static_cast<double>(INFINITY)}) {
    costs = right;
    costs.of_unit["encoder.layers.1.ffn"] = wrong;
    EXPECT_THAT(refusal_of_costs(options, costs), HasSubstr("at least 0"));
  }
  costs = right;
  costs.total = std::nan("");
  EXPECT_THAT(refusal_of_costs(options, costs), HasSubstr("do not cost that much"));
  EXPECT_THAT(
      refusal_of_costs({.method = PruningMethod::structured, .unit = PruningUnit::whole}, right),
      HasSubstr("method global with unit whole"));
  EXPECT_THAT(refusal_of_costs({}, right), HasSubstr("method global with unit whole"));
}

TEST(UnitCosts, AreMeasuredForEveryBlock) {
  const Model model = checkpoint("bart");
  std::size_t calls = 0;
  const UnitCosts costs =
      measure_unit_costs(model, {.work = {.sequence = 8, .beams = 1, .new_tokens = 4},
                                 .engine = {.threads = 1},
                                 .rounds = 2,
                                 .progress = [&](const Progress& progress) {
                                   EXPECT_EQ(progress.done, ++calls);
                                   EXPECT_EQ(progress.total, 10U);
                                 }});
  EXPECT_EQ(calls, 10U);
  EXPECT_GT(costs.total, 0);
  std::set<std::string> expected;
  for (const UnitGroup& group : unit_groups(model.config)) expected.insert(group.name);
  std::set<std::string> found;
  for (const auto& [name, cost] : costs.of_unit) {
    found.insert(name);
    EXPECT_GE(cost, 0) << name;
    EXPECT_TRUE(std::isfinite(cost)) << name;
  }
  EXPECT_EQ(found, expected);
  EXPECT_TRUE(model.masks.empty());
  EXPECT_THROW((void)measure_unit_costs(model, {.rounds = 0}), Error);
}

TEST(UnitCosts, AreProvenByTrials) {
  const Model model = checkpoint("bart");
  UnitCosts costs{.total = 1.0};
  for (const UnitGroup& group : unit_groups(model.config)) costs.of_unit[group.name] = 0.01;
  std::size_t calls = 0;
  const UnitTimingOptions options{.work = {.sequence = 8, .beams = 1, .new_tokens = 4},
                                  .engine = {.threads = 1},
                                  .rounds = 2,
                                  .progress = [&](const Progress& progress) {
                                    EXPECT_EQ(progress.done, ++calls);
                                    EXPECT_EQ(progress.total, 6U);
                                  }};
  const ProvenCosts proven = prove_unit_costs(model, 0.05, options, costs);
  EXPECT_THAT(calls, testing::AllOf(testing::Ge(2U), testing::Le(6U)));
  EXPECT_LT(proven.saved, 1.0);
  EXPECT_EQ(proven.costs.total, costs.total);
  // All are scaled alike, by a factor of 2 or 1/2 a trial at most.
  const double cost = proven.costs.of_unit.begin()->second;
  EXPECT_THAT(cost, testing::AllOf(testing::Ge(0.0025), testing::Le(0.04)));
  for (const auto& [name, other] : proven.costs.of_unit) EXPECT_EQ(other, cost) << name;
  EXPECT_TRUE(model.masks.empty());

  EXPECT_EQ(prove_unit_costs(model, 0.0, options, costs).costs.of_unit, costs.of_unit);
  EXPECT_THROW((void)prove_unit_costs(model, 0.05, {.rounds = 0}, costs), Error);
  for (auto& [name, other] : costs.of_unit) other = 1e-9;
  EXPECT_THROW((void)prove_unit_costs(model, 0.05, options, costs), Error);
}

}  // namespace
}  // namespace kobolt
