#pragma once

#include <functional>

#include "cli/output.h"

namespace kobolt::cli {

/// Runs `work` in a process of its own and returns what it returned, so that memory and first times
/// are its own. To be called while this process has no other thread. Throws Error with the message
/// of what `work` threw, or when the process ended in any other way.
Json in_child(const std::function<Json()>& work);

}  // namespace kobolt::cli
