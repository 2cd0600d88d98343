#pragma once

#include "kobolt/prune.h"

namespace kobolt {

/// unit_pruning() with any score.
void prune_units(Model& model, const PruningOptions& options);

/// global_unit_pruning() with any score.
void prune_units_together(Model& model, const PruningOptions& options);

}  // namespace kobolt
