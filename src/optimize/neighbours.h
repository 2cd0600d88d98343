#pragma once

#include <cstdint>
#include <vector>

#include "kobolt/model.h"
#include "kobolt/optimize.h"

namespace kobolt {

/// What a search begins with: each precision as it is.
std::vector<Setting> first_settings(const OptimizeSpace& space);

/// What a setting is asked to become.
enum class Change : std::uint8_t {
  cheaper,  ///< smaller formats for some layers, pruned
  finer,    ///< larger formats for some layers: less is lost
};

/// Settings that differ from `setting` in one thing: how much of it is int4, the precision of a
/// group of layers or of one layer in such a group, pruning, and either way beams, threads and the
/// format of the cache.
std::vector<Setting> neighbours(const Setting& setting, Change change, const OptimizeSpace& space,
                                const ModelConfig& config);

/// int8 with so much in int4 that its file, of `bytes` without, has no more than `most`; nothing
/// for other settings, where that is not enough, and where the space has no such mixture.
std::vector<Setting> mixed_to_size(const Setting& setting, std::uint64_t bytes, std::uint64_t most,
                                   const OptimizeSpace& space, const ModelConfig& config);

}  // namespace kobolt
