#include <fmt/format.h>

#include <array>
#include <charconv>
#include <string>
#include <system_error>

#include "base/choice.h"
#include "kobolt/error.h"
#include "kobolt/prune.h"
#include "prune/entries.h"

namespace kobolt {
namespace {

constexpr std::array kMethods = {PruningMethod::magnitude, PruningMethod::structured,
                                 PruningMethod::global, PruningMethod::row};
constexpr std::array kUnits = {PruningUnit::channel, PruningUnit::whole};
constexpr std::array kScores = {PruningScore::magnitude, PruningScore::wanda, PruningScore::taylor};

bool read_whole(std::string_view text, int& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size();
}

[[noreturn]] void refuse_pattern(std::string_view name) {
  throw Error(ErrorKind::invalid_argument, "no such pattern of pruning",
              {.field = "pattern",
               .found = fmt::format("\"{}\"", name),
               .expected = fmt::format("free, {}x1 or n:m such as 2:4, with 1 <= n < m <= {}",
                                       kPruningBlock, kLongestGroup)});
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
    case PruningMethod::row:
      return "row";
  }
  return "?";
}

PruningMethod pruning_method_from_name(std::string_view name) {
  return choice_from_name(kMethods, name, "no such method of pruning", "method");
}

std::string_view name_of(PruningUnit unit) {
  return unit == PruningUnit::whole ? "whole" : "channel";
}

PruningUnit pruning_unit_from_name(std::string_view name) {
  return choice_from_name(kUnits, name, "no such unit of pruning", "unit");
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
      read_whole(name.substr(colon + 1), groups.m)) {
    check_pattern(groups);
    return groups;
  }
  refuse_pattern(name);
}

PruningNorm norm_from_name(std::string_view name) {
  if (name == "1") return PruningNorm::l1;
  if (name == "2") return PruningNorm::l2;
  if (name == "inf") return PruningNorm::infinity;
  throw Error(ErrorKind::invalid_argument, "no such norm",
              {.field = "norm", .found = fmt::format("\"{}\"", name), .expected = "1, 2 or inf"});
}

std::string_view name_of(PruningScore score) {
  switch (score) {
    case PruningScore::magnitude:
      return "magnitude";
    case PruningScore::wanda:
      return "wanda";
    case PruningScore::taylor:
      return "taylor";
  }
  return "?";
}

PruningScore pruning_score_from_name(std::string_view name) {
  return choice_from_name(kScores, name, "no such score of weights", "score");
}

void check_pattern(const PruningPattern& pattern) {
  if (pattern.kind != PruningPattern::Kind::n_of_m) return;
  if (pattern.n < 1 || pattern.n >= pattern.m || pattern.m > kLongestGroup) {
    refuse_pattern(name_of(pattern));
  }
}

}  // namespace kobolt
