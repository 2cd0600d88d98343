#pragma once

#include <string>
#include <utility>
#include <vector>

#include "cli/command.h"
#include "kobolt/benchmark.h"

namespace kobolt::cli {

/// The work that pruning is timed with: one document of 512 tokens, 64 tokens out, with the
/// checkpoint's beams; less where a model has fewer positions.
BenchmarkOptions timed_work(const Model& model);

/// measure_unit_costs() and prove_unit_costs() of that work, with progress.
ProvenCosts time_units(const Model& model, const PruningOptions& pruning, Precision precision,
                       const GlobalOptions& global);

/// The costs of the first block of each kind, by name without its layer: "decoder ffn".
std::vector<std::pair<std::string, double>> costs_by_kind(const UnitCosts& costs);

}  // namespace kobolt::cli
