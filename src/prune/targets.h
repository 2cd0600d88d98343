#pragma once

#include <string>
#include <vector>

#include "kobolt/prune.h"

namespace kobolt {

/// Names of the weight tensors that `targets` chooses, in the order of computation. Throws
/// Error(invalid_argument) as documented at PruningTargets.
std::vector<std::string> target_tensors(const Model& model, const PruningTargets& targets);

/// Whether a tensor is the weight of a linear layer inside an encoder or decoder layer.
bool is_linear_weight(const std::string& name, std::size_t dimensions);

}  // namespace kobolt
