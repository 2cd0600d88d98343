#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace kobolt::cli {

/// The ways of pruning (kobolt/pruning_recipe.h) that are worth comparing.
std::vector<std::string> default_sweep_methods();

/// The amounts of a list such as "0,0.1,...,0.6", ascending and each once; dots go on in steps of
/// the two numbers before them. Throws Error(invalid_argument).
std::vector<double> sweep_amounts(std::string_view list);

}  // namespace kobolt::cli
