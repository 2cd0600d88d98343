// The YAML reader of --config: any text must give options or an error.

#include <cstddef>
#include <cstdint>
#include <sstream>
#include <string>

#include "cli/command.h"
#include "cli/config_file.h"
#include "kobolt/error.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  kobolt::cli::GlobalOptions global;
  CLI::App app;
  kobolt::cli::prepare_app(app, global);
  int beams = 0;
  kobolt::cli::add_command(app, "run", "", "kobolt run").add_option("--num-beams", beams);
  std::istringstream input(std::string(reinterpret_cast<const char*>(data), size));
  try {
    (void)app.get_config_formatter()->from_config(input);
  } catch (const CLI::Error&) {
  } catch (const kobolt::Error&) {
  }
  return 0;
}
