#include <CLI/CLI.hpp>
#include <exception>

#include "kobolt/version.h"

int main(int argc, char** argv) {
  CLI::App app{"Kobolt makes encoder-decoder summarisers small and fast, and proves what it cost."};
  app.set_version_flag("--version", std::string(kobolt::version()));
  CLI11_PARSE(app, argc, argv);
  return 0;
}
