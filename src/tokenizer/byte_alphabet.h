#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace kobolt::text {

/// GPT-2's alphabet of 256 printable characters, one a byte, through which byte-level BPE sees
/// text: printable Latin-1 stands for itself, the other bytes for U+0100 onwards in order.
void append_byte_alphabet(std::string& out, std::string_view bytes);

/// Two UTF-8 bytes at most: the character of one byte.
std::string_view byte_character(unsigned char byte);

/// The byte of a character of that alphabet.
std::optional<unsigned char> byte_of_character(char32_t c);

}  // namespace kobolt::text
