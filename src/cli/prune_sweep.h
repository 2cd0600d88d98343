#pragma once

#include "cli/command.h"
#include "cli/prune_flags.h"

namespace kobolt::cli {

/// `kobolt prune --sweep`: measures every method at every amount that its folder does not have yet,
/// then writes and prints the table. Throws Error.
void run_sweep(const PruneFlags& options, const GlobalOptions& global);

}  // namespace kobolt::cli
