#include "cli/command.h"

#include <fmt/format.h>

#include <algorithm>
#include <exception>
#include <memory>
#include <new>
#include <string_view>
#include <vector>

#include "cli/closest.h"
#include "cli/config_file.h"
#include "cli/output.h"
#include "kobolt/version.h"

namespace kobolt::cli {
namespace {

constexpr const char* kGlobalGroup = "Global options";

/// Shows the global options in every command's help too: they are accepted there.
class HelpFormatter : public CLI::Formatter {
 public:
  HelpFormatter() {
    column_width(32);
    label("SUBCOMMAND", "COMMAND");
  }

  std::string make_subcommands(const CLI::App* app, CLI::AppFormatMode mode) const override {
    if (app->get_parent() == nullptr) return Formatter::make_subcommands(app, mode);
    const CLI::App* root = app->get_parent();
    const auto options = root->get_options([root](const CLI::Option* option) {
      return option->get_group() == kGlobalGroup && option != root->get_help_ptr() &&
             option->get_name() != "--version";
    });
    return make_group(kGlobalGroup, false, options);
  }
};

std::string help_command(const CLI::App& app) {
  const auto chosen = app.get_subcommands();
  return chosen.empty() ? "kobolt --help" : fmt::format("kobolt {} --help", chosen[0]->get_name());
}

std::vector<std::string> long_options(const CLI::App& app) {
  std::vector<std::string> names;
  const auto collect = [&names](const CLI::App& from) {
    for (const CLI::Option* option : from.get_options()) {
      for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
    }
  };
  collect(app);
  for (const CLI::App* command : app.get_subcommands()) collect(*command);
  return names;
}

// The first argument that nobody took: unknown option, unknown command or one word too many.
std::string describe_leftover(const CLI::App& app, const std::string& argument) {
  if (argument.starts_with("-")) {
    const std::string option = argument.substr(0, argument.find('='));
    return fmt::format("unknown option {}{}", option,
                       did_you_mean(closest(option, long_options(app))));
  }
  if (app.get_subcommands().empty()) {
    std::vector<std::string> names;
    for (const CLI::App* command : app.get_subcommands({})) names.push_back(command->get_name());
    return fmt::format("unknown command {}{}", argument, did_you_mean(closest(argument, names)));
  }
  return fmt::format("unexpected argument {}", argument);
}

// Wrong use, in one line. An unknown option often is the reason for whatever else is missing, so
// it is what gets reported.
std::string describe_misuse(const CLI::App& app, const CLI::ParseError& error) {
  const auto leftover = app.remaining(true);
  std::string message =
      leftover.empty() ? std::string(error.what()) : describe_leftover(app, leftover.front());
  if (leftover.empty()) {
    const auto& config = static_cast<const ConfigFile&>(*app.get_config_formatter());
    message += config.origin_of(message);
  }
  return fmt::format("{} (see {})", message, help_command(app));
}

// The command runs inside parse(), as the callback of its CLI::App.
void parse_and_run(CLI::App& app, int argc, const char* const* argv) {
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    write(app.help());
  } catch (const CLI::CallForVersion& version_text) {
    print("{}\n", version_text.what());
  } catch (const GateFailed&) {
    flush();  // the result is there and counts, only not enough
    throw;
  }
  flush();
}

}  // namespace

void prepare_app(CLI::App& app, GlobalOptions& global) {
  app.name("kobolt");
  app.description(
      "Kobolt takes a fine-tuned encoder-decoder summariser, makes it small and fast on the CPU,\n"
      "and proves what that cost.");
  app.footer("kobolt COMMAND --help explains a command and shows examples.");
  app.formatter(std::make_shared<HelpFormatter>());
  app.set_help_flag("-h,--help", "Print this help and exit")->group(kGlobalGroup);
  app.set_version_flag("--version", "kobolt " + std::string(version()), "Print the version")
      ->group(kGlobalGroup);
  app.set_config("--config", "", "Read options from a YAML file; options given here win")
      ->type_name("FILE.yaml")
      ->group(kGlobalGroup);
  app.config_formatter(std::make_shared<ConfigFile>(app));
  app.add_flag("--json", global.json, "Print the result as JSON")->group(kGlobalGroup);
  app.add_flag("--quiet", global.quiet, "No progress and no warnings")->group(kGlobalGroup);
  app.add_option("--threads", global.threads, "Threads to use; 0 = one a usable core")
      ->check(CLI::Range(0, 4096).description(""))
      ->type_name("N")
      ->group(kGlobalGroup);
  // Exactly one command; later words are then never taken for a second one.
  app.require_subcommand(1);
  app.fallthrough();
}

CLI::App& add_command(CLI::App& app, const std::string& name, const std::string& purpose,
                      const std::string& examples) {
  CLI::App* command = app.add_subcommand(name, purpose);
  command->group("Commands");
  std::string footer = "Examples:\n";
  std::string_view rest = examples;
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    footer += fmt::format("  {}\n", rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  footer.pop_back();
  command->footer(footer);
  return *command;
}

int run_app(CLI::App& app, int argc, const char* const* argv) {
  try {
    if (argc <= 1) {
      say("error", "no command given (see kobolt --help)");
      return kUsage;
    }
    parse_and_run(app, argc, argv);
    return 0;
  } catch (const CLI::FileError&) {
    say("error", app.get_config_ptr()->as<std::string>() + ": cannot read this configuration file");
  } catch (const CLI::ParseError& error) {
    say("error", describe_misuse(app, error));
    return kUsage;
  } catch (const GateFailed& shortfall) {
    say("error", shortfall.what());
    return kGateFailed;
  } catch (const ClosedPipe&) {
    // Whoever was reading has seen enough.
  } catch (const std::bad_alloc&) {
    say("error", "out of memory");
  } catch (const std::exception& error) {
    say("error", error.what());
  } catch (...) {
    say("error", "unknown failure");
  }
  return kFailure;
}

}  // namespace kobolt::cli
