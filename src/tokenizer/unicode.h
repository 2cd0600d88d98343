#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

/// UTF-8 and the character classes that tokenizers are defined by. Everything behind the public
/// API works on valid UTF-8: texts are repaired on the way in.
namespace kobolt::text {

struct CodePoint {
  char32_t value;
  std::size_t length;  ///< bytes
};

/// The code point that starts at byte `at` of valid UTF-8.
inline CodePoint decode_at(std::string_view utf8, std::size_t at) {
  const auto byte = [&](std::size_t i) {
    return static_cast<char32_t>(static_cast<unsigned char>(utf8[at + i]));
  };
  const char32_t lead = byte(0);
  if (lead < 0x80) return {lead, 1};
  if (lead < 0xE0) return {((lead & 0x1F) << 6) | (byte(1) & 0x3F), 2};
  if (lead < 0xF0) {
    return {((lead & 0x0F) << 12) | ((byte(1) & 0x3F) << 6) | (byte(2) & 0x3F), 3};
  }
  return {
      ((lead & 0x07) << 18) | ((byte(1) & 0x3F) << 12) | ((byte(2) & 0x3F) << 6) | (byte(3) & 0x3F),
      4};
}

/// Start of the code point that ends before byte `end` (> 0) of valid UTF-8.
inline std::size_t previous(std::string_view utf8, std::size_t end) {
  do {
    --end;
  } while ((static_cast<unsigned char>(utf8[end]) & 0xC0) == 0x80);
  return end;
}

void append_utf8(std::string& out, char32_t code_point);

/// Number of code points of valid UTF-8.
std::size_t count_code_points(std::string_view utf8);

/// Length of the longest prefix that is valid UTF-8.
std::size_t valid_prefix(std::string_view bytes);

/// `bytes` with each maximal ill-formed part replaced by U+FFFD, as Python's errors="replace" and
/// Rust's from_utf8_lossy do. Returns `bytes` itself when they are valid, else a view of `storage`.
std::string_view repaired_utf8(std::string_view bytes, std::string& storage);

/// Calls `visit(char32_t, std::string_view)` for each code point of valid UTF-8.
template <typename Visit>
void for_each_code_point(std::string_view utf8, Visit&& visit) {
  for (std::size_t at = 0; at < utf8.size();) {
    const CodePoint point = decode_at(utf8, at);
    visit(point.value, utf8.substr(at, point.length));
    at += point.length;
  }
}

bool is_whitespace(char32_t c);       ///< White_Space
bool is_word(char32_t c);             ///< \w: letters, marks, decimal digits, connectors
bool is_letter(char32_t c);           ///< \p{L}
bool is_numeric(char32_t c);          ///< \p{N}
bool is_punctuation(char32_t c);      ///< ASCII punctuation and symbols, or \p{P}
bool is_control(char32_t c);          ///< Cc, Cf, Co
bool is_mark(char32_t c);             ///< \p{M}
bool is_nonspacing_mark(char32_t c);  ///< Mn
bool is_cjk_ideograph(char32_t c);    ///< what BERT puts spaces around
void append_lower(std::string& out, char32_t c);  ///< full lower-case mapping, no context

}  // namespace kobolt::text
