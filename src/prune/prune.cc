#include "kobolt/prune.h"

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <utility>

#include "kobolt/error.h"
#include "model/masking.h"
#include "model/pattern.h"
#include "prune/channels.h"
#include "prune/parallel.h"
#include "prune/selection.h"
#include "prune/targets.h"

namespace kobolt {
namespace {

constexpr std::array kMethods = {PruningMethod::magnitude, PruningMethod::structured,
                                 PruningMethod::global};

void check_amount(double amount) {
  if (amount >= 0 && amount <= 1) return;
  throw Error(ErrorKind::invalid_argument, "not a share of the weights",
              {.field = "amount", .found = fmt::format("{}", amount), .expected = "0 to 1"});
}

// Python's round(): halves to even, which is how floating-point hardware rounds unless told
// otherwise.
std::int64_t share(double amount, std::int64_t of) {
  return std::llrint(amount * static_cast<double>(of));
}

/// The chosen tensors with copies of their masks, so that a failure leaves the model as it was.
class Work {
 public:
  Work(Model& model, const PruningTargets& targets) : model_(model) {
    if (model.pruning.permanent && !targets.force) {
      throw Error(ErrorKind::invalid_argument,
                  "the model was pruned permanently: which of its weights are zero because they "
                  "were pruned is not known any more",
                  {.file = model.provenance.source,
                   .hint = "prune the original with a larger amount, or force it (--force)"});
    }
    for (const std::string& name : target_tensors(model, targets)) {
      const auto old = model.masks.find(name);
      masks_.emplace_back(name,
                          old != model.masks.end() ? old->second : Mask(model.tensor(name).shape));
    }
    for (auto& [name, mask] : masks_) pieces_.push_back({name, &model.tensor(name), &mask});
  }

  [[nodiscard]] std::span<const Candidates> pieces() const { return pieces_; }

  void commit(std::string_view what) {
    for (auto& [name, mask] : masks_) {
      model_.masks.insert_or_assign(std::move(name), std::move(mask));
    }
    model_.provenance.steps.push_back(
        fmt::format("pruned {} in {} matrices", what, pieces_.size()));
  }

 private:
  Model& model_;
  std::vector<std::pair<std::string, Mask>> masks_;
  std::vector<Candidates> pieces_;
};

void prune_channels(const Candidates& piece, double amount, int dim, Norm norm) {
  const std::vector<bool> active = active_channels(*piece.mask, dim);
  std::vector<std::int64_t> candidates;
  for (std::size_t i = 0; i < active.size(); ++i) {
    if (active[i]) candidates.push_back(static_cast<std::int64_t>(i));
  }
  const std::vector<double> ranks = channel_ranks(*piece.weights, *piece.mask, dim, norm);
  const auto count = share(amount, static_cast<std::int64_t>(candidates.size()));
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

Norm norm_from_name(std::string_view name) {
  if (name == "1") return Norm::l1;
  if (name == "2") return Norm::l2;
  if (name == "inf") return Norm::infinity;
  throw Error(ErrorKind::invalid_argument, "no such norm",
              {.field = "norm", .found = fmt::format("\"{}\"", name), .expected = "1, 2 or inf"});
}

void magnitude_pruning(Model& model, double amount, const PruningTargets& targets) {
  check_amount(amount);
  Work work(model, targets);
  for (std::size_t i = 0; i < work.pieces().size(); ++i) {
    const auto piece = work.pieces().subspan(i, 1);
    prune_smallest(piece, share(amount, count_candidates(piece)), targets.threads);
  }
  work.commit(fmt::format("{} of each matrix by magnitude", amount));
}

void global_pruning(Model& model, double amount, const PruningTargets& targets) {
  check_amount(amount);
  Work work(model, targets);
  prune_smallest(work.pieces(), share(amount, count_candidates(work.pieces())), targets.threads);
  work.commit(fmt::format("{} by magnitude over all", amount));
}

void structured_pruning(Model& model, double amount, int dim, Norm norm,
                        const PruningTargets& targets) {
  check_amount(amount);
  if (dim != 0 && dim != 1) {
    throw Error(ErrorKind::invalid_argument, "a weight matrix has no such dimension",
                {.field = "dim",
                 .found = std::to_string(dim),
                 .expected = "0 (output neurons, rows) or 1 (inputs, columns)"});
  }
  Work work(model, targets);
  for (const Candidates& piece : work.pieces()) {
    const auto one = std::span(&piece, 1);
    prune_smallest(one, 0, targets.threads);  // refuses what is not a number
  }
  parallel_for(worker_count(targets.threads, work.pieces().size()), work.pieces().size(),
               [&](std::size_t i, int) { prune_channels(work.pieces()[i], amount, dim, norm); });
  work.commit(fmt::format("{} of the {} of each matrix", amount, dim == 0 ? "rows" : "columns"));
}

void make_permanent(Model& model) {
  for (const auto& [name, mask] : model.masks) {
    Tensor& tensor = model.tensors.at(name);
    if (mask.pruned() > 0) tensor = masked(tensor, mask);
  }
  if (model.masks.empty()) return;
  model.masks.clear();
  model.pruning.permanent = true;
}

void remove_masks(Model& model) { model.masks.clear(); }

ModelPruner::ModelPruner(Model& model, PruningOptions options)
    : model_(model), options_(std::move(options)) {}

void ModelPruner::prune() {
  const PruningOptions& o = options_;
  if (o.structured || o.method == PruningMethod::structured) {
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
