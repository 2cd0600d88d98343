#include "prune/work.h"

#include <fmt/format.h>

#include <cmath>
#include <utility>

#include "kobolt/error.h"
#include "prune/targets.h"

namespace kobolt {

void check_amount(double amount) {
  if (amount >= 0 && amount <= 1) return;
  throw Error(ErrorKind::invalid_argument, "not a share of the weights",
              {.field = "amount", .found = fmt::format("{}", amount), .expected = "0 to 1"});
}

std::int64_t share_of(double amount, std::int64_t of) {
  // Halves to even is how floating-point hardware rounds unless told otherwise.
  return std::llrint(amount * static_cast<double>(of));
}

PruningWork::PruningWork(Model& model, const PruningTargets& targets)
    : PruningWork(model, targets, target_tensors(model, targets)) {}

PruningWork::PruningWork(Model& model, const PruningTargets& targets,
                         const std::vector<std::string>& tensors)
    : model_(model), threads_(targets.threads) {
  if (model.pruning.permanent && !targets.force) {
    throw Error(ErrorKind::invalid_argument,
                "the model was pruned permanently: which of its weights are zero because they "
                "were pruned is not known any more",
                {.file = model.provenance.source,
                 .hint = "prune the original with a larger amount, or force it (--force)"});
  }
  for (const std::string& name : tensors) {
    const auto old = model.masks.find(name);
    const auto placed = masks_.emplace(
        name, old != model.masks.end() ? old->second : Mask(model.tensor(name).shape));
    pieces_.push_back({placed.first->first, &model.tensor(name), &placed.first->second});
  }
}

void PruningWork::refuse_not_a_number() const { prune_smallest(pieces_, 0, threads_); }

void PruningWork::commit(std::string_view what) {
  const std::size_t matrices = masks_.size();
  for (auto& [name, mask] : masks_) model_.masks.insert_or_assign(name, std::move(mask));
  model_.provenance.steps.push_back(fmt::format("pruned {} in {} matrices", what, matrices));
}

}  // namespace kobolt
