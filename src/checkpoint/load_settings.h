#pragma once

#include <filesystem>

#include "kobolt/model.h"

namespace kobolt {

/// All of a Hugging Face folder but its weights and their hash: what Model::load() begins with, and
/// what there is to know of a folder that has other weights, such as ONNX graphs. Throws Error.
Model load_settings(const std::filesystem::path& folder);

}  // namespace kobolt
