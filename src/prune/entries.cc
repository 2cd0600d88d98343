#include "prune/entries.h"

#include <fmt/format.h>

#include <string>

#include "prune/patterns.h"
#include "prune/scores.h"
#include "prune/selection.h"
#include "prune/work.h"

namespace kobolt {
namespace {

void select(std::span<const Candidates> pieces, const PruningOptions& options) {
  const int threads = options.targets.threads;
  const auto smallest_of = [&](std::span<const Candidates> together) {
    prune_smallest(together, share_of(options.amount, count_candidates(together)), threads);
  };
  switch (options.method) {
    case PruningMethod::global:
      return smallest_of(pieces);
    case PruningMethod::row:
      return prune_rows(pieces, options.amount, threads);
    case PruningMethod::magnitude:
    case PruningMethod::structured:  // not for single weights: the caller has looked
      for (std::size_t i = 0; i < pieces.size(); ++i) smallest_of(pieces.subspan(i, 1));
  }
}

std::string what_is_done(const PruningOptions& options) {
  std::string text = options.pattern.kind == PruningPattern::Kind::n_of_m
                         ? "to " + name_of(options.pattern)
                         : fmt::format("{}", options.amount);
  if (options.pattern.kind == PruningPattern::Kind::block) {
    text += fmt::format(" of the blocks of {}", name_of(options.pattern));
  }
  if (options.pattern.kind != PruningPattern::Kind::n_of_m) {
    text += options.method == PruningMethod::global ? " over all"
            : options.method == PruningMethod::row  ? " of each row"
                                                    : " of each matrix";
  }
  return text + fmt::format(" by {}", name_of(options.score));
}

// A variable: GCC 12 takes the maps of a temporary for uninitialised.
PruningOptions options_of(PruningMethod method, double amount, const PruningTargets& targets) {
  PruningOptions options;
  options.method = method;
  options.amount = amount;
  options.targets = targets;
  return options;
}

}  // namespace

void prune_entries(Model& model, const PruningOptions& options) {
  check_amount(options.amount);
  check_pattern(options.pattern);
  PruningWork work(model, options.targets);
  add_scores(work.pieces(), options);
  work.refuse_not_a_number();
  switch (options.pattern.kind) {
    case PruningPattern::Kind::free:
      select(work.pieces(), options);
      break;
    case PruningPattern::Kind::n_of_m:
      prune_n_of_m(work.pieces(), options.pattern.n, options.pattern.m, options.targets.threads);
      break;
    case PruningPattern::Kind::block: {
      const BlockGrids grids(work.pieces(), options.norm, options.targets.threads);
      select(grids.blocks(), options);
      grids.apply();
      break;
    }
  }
  work.commit(what_is_done(options));
}

void magnitude_pruning(Model& model, double amount, const PruningTargets& targets) {
  prune_entries(model, options_of(PruningMethod::magnitude, amount, targets));
}

void global_pruning(Model& model, double amount, const PruningTargets& targets) {
  prune_entries(model, options_of(PruningMethod::global, amount, targets));
}

}  // namespace kobolt
