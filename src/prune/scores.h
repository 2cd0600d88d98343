#pragma once

#include <span>

#include "kobolt/prune.h"
#include "prune/selection.h"

namespace kobolt {

/// Gives each piece the factors that `options.score` asks for. Throws Error(invalid_argument) for
/// such that are missing, do not fit or are not numbers.
void add_scores(std::span<Candidates> pieces, const PruningOptions& options);

}  // namespace kobolt
