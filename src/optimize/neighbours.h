#pragma once

#include <vector>

#include "kobolt/model.h"
#include "kobolt/optimize.h"

namespace kobolt {

/// What a search begins with: each precision as it is and, of the best known one, each way of
/// pruning, number of beams, of threads and format of the cache.
std::vector<Setting> first_settings(const OptimizeSpace& space);

/// Settings that differ from `setting` in one thing: the precision of a group of layers or of one
/// layer in such a group, pruning, beams, threads, the format of the cache.
std::vector<Setting> neighbours(const Setting& setting, const OptimizeSpace& space,
                                const ModelConfig& config);

}  // namespace kobolt
