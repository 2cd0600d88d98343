#pragma once

#include <string>

#include "kobolt/optimize.h"

namespace kobolt::cli {

/// A setting as a file for --config: `compile` makes the same engine with it, and the commands that
/// run one set it up in the same way. `comment` opens the file, a line a line; int4 weights are
/// rounded for the documents of the file `calibration`, where that is not empty.
std::string settings_yaml(const Setting& setting, const std::string& comment,
                          const std::string& calibration = {});

}  // namespace kobolt::cli
