#pragma once

#include <filesystem>
#include <string>

#include "kobolt/model.h"

namespace kobolt {

/// Throws Error(unsupported) naming the first tensor that is missing or does not have the shape
/// that the model's configuration gives it.
void check_shapes(const Model& model);

/// Writes all of a Hugging Face folder but the weights: `config` as config.json,
/// generation_config.json where there is one, and the tokenizer's files, each beside, synced and
/// renamed. Throws Error.
void write_settings(const Model& model, const std::filesystem::path& folder,
                    const std::string& config);

}  // namespace kobolt
