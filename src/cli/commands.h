#pragma once

#include "cli/command.h"

/// Every command of the program, each in the file of its name. main.cc lists them in the order of
/// the help text.
namespace kobolt::cli {

void add_inspect(CLI::App& app, const GlobalOptions& global);
void add_compile(CLI::App& app, const GlobalOptions& global);
void add_export(CLI::App& app, const GlobalOptions& global);
void add_prune(CLI::App& app, const GlobalOptions& global);
void add_calibrate(CLI::App& app, const GlobalOptions& global);
void add_run(CLI::App& app, const GlobalOptions& global);
void add_eval(CLI::App& app, const GlobalOptions& global);
void add_bench(CLI::App& app, const GlobalOptions& global);
void add_compare(CLI::App& app, const GlobalOptions& global);
void add_optimize(CLI::App& app, const GlobalOptions& global);
void add_profile(CLI::App& app, const GlobalOptions& global);
void add_doctor(CLI::App& app, const GlobalOptions& global);

}  // namespace kobolt::cli
