#pragma once

#include <fmt/format.h>

#include <exception>
#include <nlohmann/json.hpp>
#include <string_view>
#include <utility>

/// Standard output with every write checked: a full disk is a failure, not a short file.
namespace kobolt::cli {

/// Thrown when the reader of our pipe is gone; the program then ends without a word.
class ClosedPipe : public std::exception {
 public:
  [[nodiscard]] const char* what() const noexcept override { return "standard output was closed"; }
};

/// Before anything is opened: a standard stream that the caller closed gets a harmless place
/// holder, so that no data file ever ends up on its number.
void guard_standard_streams();

/// Throws Error(io) or ClosedPipe.
void write(std::string_view text);
void flush();

template <typename... Arguments>
void print(fmt::format_string<Arguments...> format, Arguments&&... arguments) {
  write(fmt::format(format, std::forward<Arguments>(arguments)...));
}

/// One line on standard error, "kobolt: warning: ...": `kind` is "error" or "warning". Before a
/// warning, ask GlobalOptions::quiet.
void say(std::string_view kind, std::string_view message);

using Json = nlohmann::ordered_json;
/// Indented, for the one result of a command. Invalid UTF-8 becomes U+FFFD.
void print_json(const Json& value);
/// On one line, for a stream of results.
void print_json_line(const Json& value);

}  // namespace kobolt::cli
