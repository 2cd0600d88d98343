#include <csignal>

#include "cli/command.h"
#include "cli/commands.h"
#include "cli/output.h"

// run_app catches whatever a command throws; naming the commands throws only for a mistake in their
// definitions, which any test shows.
// NOLINTNEXTLINE(bugprone-exception-escape)
int main(int argc, char** argv) {
  // A closed pipe is then an error of the write that meets it: files in the making are cleaned up.
  std::signal(SIGPIPE, SIG_IGN);
  kobolt::cli::guard_standard_streams();

  kobolt::cli::GlobalOptions global;
  CLI::App app;
  kobolt::cli::prepare_app(app, global);
  kobolt::cli::add_inspect(app, global);
  kobolt::cli::add_compile(app, global);
  kobolt::cli::add_export(app, global);
  kobolt::cli::add_prune(app, global);
  kobolt::cli::add_calibrate(app, global);
  kobolt::cli::add_run(app, global);
  kobolt::cli::add_eval(app, global);
  kobolt::cli::add_bench(app, global);
  kobolt::cli::add_compare(app, global);
  kobolt::cli::add_profile(app, global);
  kobolt::cli::add_optimize(app, global);
  kobolt::cli::add_doctor(app, global);
  return kobolt::cli::run_app(app, argc, argv);
}
