#include "compile/compact_json.h"

#include <cstddef>

namespace kobolt {
namespace {

constexpr std::string_view kSpace = " \t\r\n";
constexpr std::string_view kStructure = "{}[],:";

bool is_structure(char c) { return kStructure.find(c) != std::string_view::npos; }

/// Behind the closing quote of the string whose opening one is at `begin`; npos without one.
std::size_t end_of_string(std::string_view text, std::size_t begin) {
  for (std::size_t i = begin + 1; i < text.size(); ++i) {
    if (text[i] == '\\') {
      ++i;
    } else if (text[i] == '"') {
      return i + 1;
    }
  }
  return std::string_view::npos;
}

}  // namespace

std::string compact_json(std::string_view text) {
  std::string compact;
  compact.reserve(text.size());
  for (std::size_t i = 0; i < text.size();) {
    std::size_t end = i + 1;
    if (text[i] == '"') {
      end = end_of_string(text, i);
      if (end == std::string_view::npos) return std::string(text);
    } else if (kSpace.find(text[i]) != std::string_view::npos) {
      end = text.find_first_not_of(kSpace, i);
      if (end == std::string_view::npos) break;
      // Between two words, where JSON has none, it stays: what is wrong shall not become right.
      if (compact.empty() || is_structure(compact.back()) || is_structure(text[end])) {
        i = end;
        continue;
      }
    }
    compact += text.substr(i, end - i);
    i = end;
  }
  return compact;
}

}  // namespace kobolt
