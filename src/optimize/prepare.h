#pragma once

#include <memory>
#include <span>
#include <string>

#include "kobolt/int4_rounding.h"
#include "kobolt/optimize.h"

namespace kobolt {

/// A copy of the model as the setting wants it compiled: pruned, by what `evidence` says, and with
/// its beams. Tensors are borrowed, so that costs little.
Model prepared(const Model& model, const Setting& setting, int threads,
               const PruningEvidence& evidence);

/// Whether any matrix of the setting's engine is in int4.
bool has_int4(const Setting& setting);

}  // namespace kobolt
