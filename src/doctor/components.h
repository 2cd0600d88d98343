#pragma once

#include <vector>

#include "kobolt/doctor.h"

namespace kobolt {

/// The optional libraries that Kobolt knows of, each looked for with the dynamic loader.
std::vector<Component> probe_components();

}  // namespace kobolt
