#pragma once

#include "benchmark/clock.h"
#include "kobolt/model.h"
#include "optimize/laboratory.h"
#include "optimize/split.h"

namespace kobolt {

/// optimize() on a laboratory, a store and a clock.
OptimizeResult search(const OptimizeOptions& options, const ModelConfig& config, const Split& split,
                      Laboratory& laboratory, TrialStore& store, Clock& clock);

}  // namespace kobolt
