#pragma once

#include <string_view>

#include "kobolt/export.h"

namespace kobolt {

/// "0.1.0".
KOBOLT_API std::string_view version();

}  // namespace kobolt
