#pragma once

#include <string>
#include <string_view>

#include "kobolt/generation_config.h"

namespace kobolt {

/// The settings that transformers 5's generate() would use for a checkpoint, from the text of
/// generation_config.json. A field that is missing or null takes the library's default, never
/// config.json's. Throws Error naming `file` and field, unsupported for a strategy that Kobolt does
/// not have.
GenerationConfig parse_generation_config(std::string_view text, const std::string& file);

/// The same for a folder without generation_config.json: `text` is config.json, where older
/// versions kept these settings. Its `task_specific_params` are not among them.
GenerationConfig generation_from_model_config(std::string_view text, const std::string& file);

}  // namespace kobolt
