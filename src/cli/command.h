#pragma once

#include <CLI/CLI.hpp>
#include <stdexcept>
#include <string>

namespace kobolt::cli {

/// Options that every command takes, before or after its name.
struct GlobalOptions {
  bool json = false;   ///< machine-readable output
  bool quiet = false;  ///< no progress, no warnings
  int threads = 0;     ///< 0 = one a core that this process may use
};

/// The program without its commands: global options, help layout, configuration file.
void prepare_app(CLI::App& app, GlobalOptions& global);

/// Declares a command: its purpose in one sentence, and the examples that close its help text, one
/// a line. Give it options and a callback; the callback throws kobolt::Error for a failure
/// (exit 1) and CLI::ValidationError for wrong use that no validator can see (exit 2).
CLI::App& add_command(CLI::App& app, const std::string& name, const std::string& purpose,
                      const std::string& examples);

/// Exit statuses of the program.
inline constexpr int kFailure = 1;
inline constexpr int kUsage = 2;
inline constexpr int kGateFailed = 3;

/// Thrown when a result has been printed and is not good enough: exit status 3, so that a build
/// can tell it from a failure. what() says what is missing.
class GateFailed : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Parses, runs the chosen command and turns every exception into one line on standard error.
/// Returns the exit status.
int run_app(CLI::App& app, int argc, const char* const* argv);

}  // namespace kobolt::cli
