#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "optimize/goal.h"

namespace kobolt {

/// Numbers of documents of a successive halving over `documents`: each step three times the one
/// before, up to all of them, and no step so small that it would say nothing.
std::vector<std::size_t> halving_steps(std::size_t documents);

/// Places of the trials that go on: half of them. In turn the best for the goal, the fastest, the
/// smallest and the one of highest fidelity, so that what is good at one thing has a chance to be
/// combined; every second one for its fidelity where enough has to be kept within a limit. Only
/// those that may still meet the targets, as long as there are any.
std::vector<std::size_t> survivors(const Goal& goal, std::span<const Trial> trials);

}  // namespace kobolt
