#pragma once

#include <string>

#include "kobolt/optimize.h"

namespace kobolt::cli {

/// A setting as a file for --config: `compile` makes the same engine with it, and the commands that
/// run one set it up in the same way. `comment` opens the file, a line a line.
std::string settings_yaml(const Setting& setting, const std::string& comment);

}  // namespace kobolt::cli
