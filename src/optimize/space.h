#pragma once

#include "kobolt/optimize.h"

namespace kobolt {

/// The space with every way of running in it once: what `options` and a checkpoint with so many
/// beams say anyway is 0.
OptimizeSpace distinct_space(const OptimizeOptions& options, int checkpoint_beams);

/// Whether a search in the space may arrive at the setting.
bool within(const Setting& setting, const OptimizeSpace& space);

}  // namespace kobolt
