#pragma once

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <string>

#include "kobolt/error.h"

namespace kobolt::cli {

/// A validator for text that `read` turns into a value, or into nothing (an optional, a bool);
/// `expected` ends "... is not".
template <typename Read>
CLI::Validator readable(Read read, const std::string& expected) {
  return {[read, expected](const std::string& text) {
            return read(text) ? std::string() : fmt::format("\"{}\" is not {}", text, expected);
          },
          ""};
}

/// One for text that `read` takes without throwing Error, whose message is shown. Wrong use is then
/// told as such, before anything is read or measured.
template <typename Read>
CLI::Validator without_error(Read read) {
  return {[read](const std::string& text) {
            try {
              read(text);
            } catch (const Error& error) {
              return std::string(error.what());
            }
            return std::string();
          },
          ""};
}

}  // namespace kobolt::cli
