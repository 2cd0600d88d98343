#include "kobolt/prune.h"

#include <fmt/format.h>

#include <string>
#include <utility>

#include "kobolt/error.h"
#include "model/pattern.h"
#include "prune/channels.h"
#include "prune/entries.h"
#include "prune/parallel.h"
#include "prune/selection.h"
#include "prune/targets.h"
#include "prune/unit_pruning.h"
#include "prune/work.h"

namespace kobolt {
namespace {

void prune_channels(const Candidates& piece, double amount, int dim, PruningNorm norm) {
  const std::vector<bool> active = active_channels(*piece.mask, dim);
  std::vector<std::int64_t> candidates;
  for (std::size_t i = 0; i < active.size(); ++i) {
    if (active[i]) candidates.push_back(static_cast<std::int64_t>(i));
  }
  const std::vector<double> ranks = channel_ranks(piece, dim, norm);
  const auto count = share_of(amount, static_cast<std::int64_t>(candidates.size()));
  for (const std::int64_t channel : smallest(ranks, std::move(candidates), count)) {
    prune_channel(*piece.mask, dim, channel);
  }
}

}  // namespace

void structured_pruning(Model& model, double amount, int dim, PruningNorm norm,
                        const PruningTargets& targets) {
  check_amount(amount);
  if (dim != 0 && dim != 1) {
    throw Error(ErrorKind::invalid_argument, "a weight matrix has no such dimension",
                {.field = "dim",
                 .found = std::to_string(dim),
                 .expected = "0 (output neurons, rows) or 1 (inputs, columns)"});
  }
  PruningWork work(model, targets);
  work.refuse_not_a_number();
  parallel_for(worker_count(targets.threads, work.pieces().size()), work.pieces().size(),
               [&](std::size_t i, int) { prune_channels(work.pieces()[i], amount, dim, norm); });
  work.commit(fmt::format("{} of the {} of each matrix", amount, dim == 0 ? "rows" : "columns"));
}

void remove_masks(Model& model) { model.masks.clear(); }

ModelPruner::ModelPruner(Model& model, PruningOptions options)
    : model_(model), options_(std::move(options)) {}

void ModelPruner::prune() {
  const PruningOptions& o = options_;
  const bool structured = o.structured || o.method == PruningMethod::structured;
  const bool together = o.method == PruningMethod::global;
  const bool whole = o.unit == PruningUnit::whole && (structured || together);
  const bool entries = !structured && !whole;
  if (!entries && o.pattern.kind != PruningPattern::Kind::free) {
    throw Error(ErrorKind::invalid_argument,
                "patterns are for single weights, not for rows, columns, heads or neurons",
                {.field = "pattern",
                 .found = name_of(o.pattern),
                 .hint = "choose the method magnitude, global or row, with unit channel"});
  }
  if (!entries && !whole && o.score != PruningScore::magnitude) {
    throw Error(ErrorKind::invalid_argument,
                "scores are for single weights, heads and neurons, not for rows and columns",
                {.field = "score",
                 .found = std::string(name_of(o.score)),
                 .hint = "choose the unit whole, or the method magnitude, global or row"});
  }
  if (!o.unit_costs.of_unit.empty() && !(whole && together)) {
    throw Error(ErrorKind::invalid_argument, "costs are for heads and ffn neurons of all blocks",
                {.field = "unit costs", .hint = "choose the method global with unit whole"});
  }
  if (entries) {
    prune_entries(model_, o);
  } else if (!whole) {
    structured_pruning(model_, o.amount, o.dim, o.norm, o.targets);
  } else if (together) {
    prune_units_together(model_, o);
  } else {
    prune_units(model_, o);
  }
}

std::vector<std::string> ModelPruner::target_layers() const {
  std::vector<std::string> layers;
  for (const std::string& tensor : target_tensors(model_, options_.targets)) {
    layers.emplace_back(module_of(tensor));
  }
  return layers;
}

}  // namespace kobolt
