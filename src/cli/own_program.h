#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

namespace kobolt::cli {

/// Runs this program once more, in a process of its own whose memory and first times are its own,
/// and returns what it wrote to standard output. Throws Error(io) with what it complained of, or
/// where it cannot be run.
std::string run_own_program(const std::vector<std::string>& arguments);

/// What `command` was given, also by a configuration file, of the options that `other` has too:
/// arguments for run_own_program. Those of the names in `without` are left out.
std::vector<std::string> shared_arguments(const CLI::App& command, const CLI::App& other,
                                          const std::vector<std::string>& without);

}  // namespace kobolt::cli
