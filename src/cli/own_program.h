#pragma once

#include <string>
#include <vector>

namespace kobolt::cli {

/// Runs this program once more, in a process of its own, and returns what it wrote to standard
/// output; standard error stays where it is. Throws Error(io) where it cannot be run or fails.
std::string run_own_program(const std::vector<std::string>& arguments);

}  // namespace kobolt::cli
