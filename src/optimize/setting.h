#pragma once

#include <string>

#include "kobolt/optimize.h"

namespace kobolt {

/// Reads what name_of() writes. Throws Error(invalid_argument).
Setting setting_from_name(const std::string& name);

}  // namespace kobolt
