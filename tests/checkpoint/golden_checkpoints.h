#pragma once

#include <filesystem>

namespace kobolt {

/// The small checkpoints, one a family, that tests/golden/make_checkpoints.py makes.
inline const std::filesystem::path kCheckpoints = KOBOLT_TEST_DATA "/checkpoints";

}  // namespace kobolt
