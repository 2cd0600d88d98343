#include "prune/entries.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "kobolt/error.h"
#include "prune/patterns.h"
#include "prune/selection.h"
#include "prune/work.h"

namespace kobolt {
namespace {

/// What a score reads beside the weights themselves.
struct ScoreData {
  const std::map<std::string, std::vector<float>>& values;
  const char* what;    ///< "the norms of a matrix's inputs"
  const char* source;  ///< the function that measures them
  bool has_signs;
};

std::span<const float> data_of(const ScoreData& data, PruningScore score, const Candidates& piece,
                               std::int64_t size) {
  const auto found = data.values.find(std::string(piece.name));
  if (found == data.values.end() || std::cmp_not_equal(found->second.size(), size)) {
    throw Error(
        ErrorKind::invalid_argument,
        fmt::format("the score {} needs {}", name_of(score), data.what),
        {.field = std::string(piece.name),
         .found = found == data.values.end() ? "none" : std::to_string(found->second.size()),
         .expected = fmt::format("{}, as {} measures them", size, data.source),
         .hint = "leave this matrix out (--layers), or choose the score magnitude"});
  }
  const auto wrong = std::ranges::find_if_not(found->second, [&](float value) {
    return std::isfinite(value) && (data.has_signs || value >= 0);
  });
  if (wrong != found->second.end()) {
    throw Error(ErrorKind::invalid_argument,
                fmt::format("among {} is one that is not a number", data.what),
                {.field = std::string(piece.name), .found = fmt::format("{}", *wrong)});
  }
  return found->second;
}

void add_scales(std::span<Candidates> pieces, const PruningOptions& options) {
  for (Candidates& piece : pieces) {
    if (options.score == PruningScore::wanda) {
      piece.column_scales = data_of(
          {options.input_norms, "the norms of a matrix's inputs", "collect_input_norms()", false},
          options.score, piece, piece.weights->shape[1]);
    } else if (options.score == PruningScore::taylor) {
      piece.element_scales = data_of({options.weight_gradients, "the derivatives by its weights",
                                      "collect_weight_gradients()", true},
                                     options.score, piece, piece.weights->elements());
    }
  }
}

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
  add_scales(work.pieces(), options);
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
