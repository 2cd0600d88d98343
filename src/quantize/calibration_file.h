#pragma once

#include <string>
#include <string_view>

#include "kobolt/calibrate.h"

namespace kobolt {

/// Calibration::load() of a file's text. `file` is its name, for messages.
Calibration calibration_from_json(std::string_view text, const std::string& file);

}  // namespace kobolt
