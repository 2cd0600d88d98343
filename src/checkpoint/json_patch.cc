#include "checkpoint/json_patch.h"

#include <cstddef>

namespace kobolt {
namespace {

// Position after the string that begins with the quote at `at`.
std::size_t end_of_string(std::string_view text, std::size_t at) {
  for (++at; at < text.size() && text[at] != '"'; ++at) {
    if (text[at] == '\\') ++at;
  }
  return at + 1;
}

std::size_t skip_space(std::string_view text, std::size_t at) {
  while (at < text.size() && std::string_view(" \t\r\n").find(text[at]) != std::string_view::npos) {
    ++at;
  }
  return at;
}

}  // namespace

std::string replace_string_field(std::string_view text, std::string_view key,
                                 std::string_view value) {
  int depth = 0;
  for (std::size_t at = 0; at < text.size();) {
    const char c = text[at];
    if (c == '{' || c == '[') ++depth;
    if (c == '}' || c == ']') --depth;
    if (c != '"') {
      ++at;
      continue;
    }
    const std::size_t end = end_of_string(text, at);
    const bool matches = depth == 1 && text.substr(at + 1, end - at - 2) == key;
    at = end;
    if (!matches) continue;
    std::size_t next = skip_space(text, at);
    if (next >= text.size() || text[next] != ':') continue;
    next = skip_space(text, next + 1);
    if (next >= text.size() || text[next] != '"') continue;
    const std::size_t value_end = end_of_string(text, next);
    std::string patched(text.substr(0, next + 1));
    patched.append(value).append(text.substr(value_end - 1));
    return patched;
  }
  return std::string(text);
}

}  // namespace kobolt
