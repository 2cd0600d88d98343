#include "kobolt/version.h"

#include "version_number.h"

namespace kobolt {

std::string_view version() { return KOBOLT_VERSION; }

}  // namespace kobolt
