#pragma once

#include <string>
#include <vector>

#include "kobolt/int4_rounding.h"

namespace kobolt {

/// The sections of the matrices that become int4 where a share of all their weights may: one after
/// another, those first whose outputs get the least noise for each weight, as far as they fit.
std::vector<std::string> least_noisy(const Int4Rounding& rounding, double share);

}  // namespace kobolt
