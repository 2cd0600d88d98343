#pragma once

#include <vector>

namespace kobolt {

/// The table of Positions::sinusoidal, [positions, d]: the first half of each row (rounded up)
/// holds sin(p / 10000^(2i/d)), the second half cos of the same, computed in double precision.
std::vector<float> sinusoidal_positions(int positions, int d);

}  // namespace kobolt
