#pragma once

#include <vector>

#include "kobolt/model.h"
#include "optimize/goal.h"
#include "optimize/trial_runner.h"

namespace kobolt {

struct Exploration {
  std::vector<Trial> trials;  ///< all that were made, in the order they left the race
  bool out_of_time = false;   ///< there was more to try
};

/// Tries settings in waves: what the user's space begins with, then what differs in one thing from
/// the best so far. Within a wave successive halving: all on a few documents, the better half on
/// three times as many, up to all that are searched on. Stops when nothing new is left, or time is
/// needed for comparing `finalists`.
Exploration explore(TrialRunner& runner, const Goal& goal, const OptimizeSpace& space,
                    const ModelConfig& config, std::size_t finalists);

}  // namespace kobolt
