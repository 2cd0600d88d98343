#pragma once

#include <string>

#include "kobolt/model.h"

namespace kobolt {

/// The config.json of `model`: its raw_config, byte for byte where it still describes the model,
/// otherwise with the sizes that changed and, for what those fields cannot say (layers of different
/// shapes, what pruning did), the field "kobolt". Throws Error(unsupported) naming `file` where
/// anything else than sizes is different. `masks` is how they are stored beside it.
std::string described_config(const Model& model, const std::string& file, MaskStorage masks);

}  // namespace kobolt
