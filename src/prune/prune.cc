#include "kobolt/prune.h"

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <string>
#include <utility>

#include "kobolt/error.h"
#include "model/pattern.h"
#include "prune/channels.h"
#include "prune/parallel.h"
#include "prune/selection.h"
#include "prune/targets.h"
#include "prune/work.h"

namespace kobolt {
namespace {

constexpr std::array kMethods = {PruningMethod::magnitude, PruningMethod::structured,
                                 PruningMethod::global};

void prune_channels(const Candidates& piece, double amount, int dim, PruningNorm norm) {
  const std::vector<bool> active = active_channels(*piece.mask, dim);
  std::vector<std::int64_t> candidates;
  for (std::size_t i = 0; i < active.size(); ++i) {
    if (active[i]) candidates.push_back(static_cast<std::int64_t>(i));
  }
  const std::vector<double> ranks = channel_ranks(*piece.weights, *piece.mask, dim, norm);
  const auto count = share_of(amount, static_cast<std::int64_t>(candidates.size()));
  for (const std::int64_t channel : smallest(ranks, std::move(candidates), count)) {
    prune_channel(*piece.mask, dim, channel);
  }
}

}  // namespace

std::string_view name_of(PruningMethod method) {
  switch (method) {
    case PruningMethod::magnitude:
      return "magnitude";
    case PruningMethod::structured:
      return "structured";
    case PruningMethod::global:
      return "global";
  }
  return "?";
}

PruningMethod pruning_method_from_name(std::string_view name) {
  std::string names;
  for (const PruningMethod method : kMethods) {
    if (name == name_of(method)) return method;
    names += names.empty() ? "" : ", ";
    names += name_of(method);
  }
  throw Error(ErrorKind::invalid_argument, "no such method of pruning",
              {.field = "method", .found = fmt::format("\"{}\"", name), .expected = names});
}

std::string_view name_of(PruningUnit unit) {
  return unit == PruningUnit::whole ? "whole" : "channel";
}

PruningUnit pruning_unit_from_name(std::string_view name) {
  for (const PruningUnit unit : {PruningUnit::channel, PruningUnit::whole}) {
    if (name == name_of(unit)) return unit;
  }
  throw Error(
      ErrorKind::invalid_argument, "no such unit of pruning",
      {.field = "unit", .found = fmt::format("\"{}\"", name), .expected = "channel or whole"});
}

PruningNorm norm_from_name(std::string_view name) {
  if (name == "1") return PruningNorm::l1;
  if (name == "2") return PruningNorm::l2;
  if (name == "inf") return PruningNorm::infinity;
  throw Error(ErrorKind::invalid_argument, "no such norm",
              {.field = "norm", .found = fmt::format("\"{}\"", name), .expected = "1, 2 or inf"});
}

void magnitude_pruning(Model& model, double amount, const PruningTargets& targets) {
  check_amount(amount);
  PruningWork work(model, targets);
  for (std::size_t i = 0; i < work.pieces().size(); ++i) {
    const auto piece = work.pieces().subspan(i, 1);
    prune_smallest(piece, share_of(amount, count_candidates(piece)), targets.threads);
  }
  work.commit(fmt::format("{} of each matrix by magnitude", amount));
}

void global_pruning(Model& model, double amount, const PruningTargets& targets) {
  check_amount(amount);
  PruningWork work(model, targets);
  prune_smallest(work.pieces(), share_of(amount, count_candidates(work.pieces())), targets.threads);
  work.commit(fmt::format("{} by magnitude over all", amount));
}

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
  if (o.unit == PruningUnit::whole && o.method == PruningMethod::global) {
    global_unit_pruning(model_, o.amount, o.norm, o.targets);
  } else if (o.unit == PruningUnit::whole && structured) {
    unit_pruning(model_, o.amount, o.norm, o.targets);
  } else if (structured) {
    structured_pruning(model_, o.amount, o.dim, o.norm, o.targets);
  } else if (o.method == PruningMethod::global) {
    global_pruning(model_, o.amount, o.targets);
  } else {
    magnitude_pruning(model_, o.amount, o.targets);
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
