#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "kobolt/prune.h"

namespace kobolt::cli {

/// One way of pruning that a sweep tries: a method and what is added to it, "global",
/// "global+16x1", "row+wanda", "structured+whole".
struct SweepMethod {
  std::string name;
  PruningMethod method = PruningMethod::magnitude;
  PruningPattern pattern;
  PruningScore score = PruningScore::magnitude;
  PruningUnit unit = PruningUnit::channel;
};

/// Throws Error(invalid_argument).
SweepMethod sweep_method_from_name(const std::string& name);

/// Those that are worth comparing.
std::vector<std::string> default_sweep_methods();

/// The amounts of a list such as "0,0.1,...,0.6", ascending and each once; dots go on in steps of
/// the two numbers before them. Throws Error(invalid_argument).
std::vector<double> sweep_amounts(std::string_view list);

}  // namespace kobolt::cli
