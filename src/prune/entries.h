#pragma once

#include "kobolt/prune.h"
#include "prune/keys.h"

namespace kobolt {

/// Inputs of a group of the pattern n:m, at most.
inline constexpr int kLongestGroup = kBlock;

/// Throws Error(invalid_argument) for an n:m that is impossible.
void check_pattern(const PruningPattern& pattern);

/// Prunes single weights, or blocks of them, of smallest score: the methods magnitude, global and
/// row, any pattern. Throws Error as magnitude_pruning() does, and Error(invalid_argument) for
/// input norms that are missing or do not fit.
void prune_entries(Model& model, const PruningOptions& options);

}  // namespace kobolt
