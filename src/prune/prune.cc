#include "kobolt/prune.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cmath>
#include <string>
#include <utility>

#include "kobolt/error.h"
#include "model/pattern.h"
#include "prune/channels.h"
#include "prune/keys.h"
#include "prune/parallel.h"
#include "prune/patterns.h"
#include "prune/selection.h"
#include "prune/targets.h"
#include "prune/work.h"

namespace kobolt {
namespace {

constexpr std::array kMethods = {PruningMethod::magnitude, PruningMethod::structured,
                                 PruningMethod::global};

constexpr int kLongestGroup = kBlock;

bool read_whole(std::string_view text, int& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size();
}

bool is_possible(const PruningPattern& groups) {
  return groups.n >= 1 && groups.n < groups.m && groups.m <= kLongestGroup;
}

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

std::string name_of(const PruningPattern& pattern) {
  switch (pattern.kind) {
    case PruningPattern::Kind::free:
      return "free";
    case PruningPattern::Kind::n_of_m:
      return fmt::format("{}:{}", pattern.n, pattern.m);
    case PruningPattern::Kind::block:
      return fmt::format("{}x1", kPruningBlock);
  }
  return "?";
}

PruningPattern pruning_pattern_from_name(std::string_view name) {
  for (const auto kind : {PruningPattern::Kind::free, PruningPattern::Kind::block}) {
    const PruningPattern pattern{.kind = kind};
    if (name == name_of(pattern)) return pattern;
  }
  PruningPattern groups{.kind = PruningPattern::Kind::n_of_m};
  const std::size_t colon = name.find(':');
  if (colon != std::string_view::npos && read_whole(name.substr(0, colon), groups.n) &&
      read_whole(name.substr(colon + 1), groups.m) && is_possible(groups)) {
    return groups;
  }
  throw Error(ErrorKind::invalid_argument, "no such pattern of pruning",
              {.field = "pattern",
               .found = fmt::format("\"{}\"", name),
               .expected = fmt::format("free, {}x1 or n:m such as 2:4, with 1 <= n < m <= {}",
                                       kPruningBlock, kLongestGroup)});
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

void n_of_m_pruning(Model& model, int n, int m, const PruningTargets& targets) {
  const PruningPattern pattern{.kind = PruningPattern::Kind::n_of_m, .n = n, .m = m};
  if (!is_possible(pattern)) {
    throw Error(ErrorKind::invalid_argument, "no such pattern of pruning",
                {.field = "pattern",
                 .found = name_of(pattern),
                 .expected = fmt::format("n:m with 1 <= n < m <= {}", kLongestGroup)});
  }
  PruningWork work(model, targets);
  work.refuse_not_a_number();
  prune_n_of_m(work.pieces(), n, m, targets.threads);
  work.commit(fmt::format("to {} by magnitude", name_of(pattern)));
}

void block_pruning(Model& model, double amount, PruningMethod method, PruningNorm norm,
                   const PruningTargets& targets) {
  check_amount(amount);
  if (method == PruningMethod::structured) {
    throw Error(ErrorKind::invalid_argument, "blocks are chosen by magnitude or global",
                {.field = "method", .found = std::string(name_of(method))});
  }
  PruningWork work(model, targets);
  work.refuse_not_a_number();
  BlockGrids grids(work.pieces(), norm, targets.threads);
  const bool together = method == PruningMethod::global;
  if (together) grids.prune_smallest(share_of(amount, grids.count()));
  for (std::size_t i = 0; i < work.pieces().size() && !together; ++i) {
    grids.prune_smallest(i, share_of(amount, grids.count(i)));
  }
  work.commit(fmt::format("{} of the blocks of {}x1 {}", amount, kPruningBlock,
                          together ? "over all" : "of each matrix"));
}

void remove_masks(Model& model) { model.masks.clear(); }

ModelPruner::ModelPruner(Model& model, PruningOptions options)
    : model_(model), options_(std::move(options)) {}

void ModelPruner::prune() {
  const PruningOptions& o = options_;
  const bool structured = o.structured || o.method == PruningMethod::structured;
  if (o.pattern.kind != PruningPattern::Kind::free) {
    if (structured || o.unit == PruningUnit::whole) {
      throw Error(ErrorKind::invalid_argument,
                  "a pattern is for single weights, not for rows, columns, heads or neurons",
                  {.field = "pattern",
                   .found = name_of(o.pattern),
                   .hint = "choose the method magnitude or global, with unit channel"});
    }
    if (o.pattern.kind == PruningPattern::Kind::block) {
      block_pruning(model_, o.amount, o.method, o.norm, o.targets);
    } else {
      n_of_m_pruning(model_, o.pattern.n, o.pattern.m, o.targets);
    }
  } else if (o.unit == PruningUnit::whole && o.method == PruningMethod::global) {
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
