#include "tokenizer/byte_alphabet.h"

#include <array>
#include <cstdint>

namespace kobolt::text {
namespace {

constexpr char32_t first_stand_in = 0x100;
constexpr std::size_t stand_ins = 68;  // bytes that do not stand for themselves

constexpr bool stands_for_itself(unsigned byte) {
  return (byte >= 0x21 && byte <= 0x7E) || (byte >= 0xA1 && byte <= 0xAC) ||
         (byte >= 0xAE && byte <= 0xFF);
}

struct Alphabet {
  std::array<std::array<char, 2>, 256> utf8{};
  std::array<std::uint8_t, 256> length{};
  std::array<unsigned char, stand_ins> byte_of_stand_in{};
};

constexpr Alphabet make_alphabet() {
  Alphabet result;
  unsigned next = 0;
  for (unsigned byte = 0; byte < 256; ++byte) {
    char32_t c = byte;
    if (!stands_for_itself(byte)) {
      result.byte_of_stand_in[next] = static_cast<unsigned char>(byte);
      c = first_stand_in + next++;
    }
    if (c < 0x80) {
      result.utf8[byte] = {static_cast<char>(c), 0};
      result.length[byte] = 1;
    } else {
      result.utf8[byte] = {static_cast<char>(0xC0 | (c >> 6)),
                           static_cast<char>(0x80 | (c & 0x3F))};
      result.length[byte] = 2;
    }
  }
  return result;
}

constexpr Alphabet alphabet = make_alphabet();

}  // namespace

std::string_view byte_character(unsigned char byte) {
  return {alphabet.utf8[byte].data(), alphabet.length[byte]};
}

void append_byte_alphabet(std::string& out, std::string_view bytes) {
  out.reserve(out.size() + bytes.size() * 2);
  for (const char byte : bytes) out += byte_character(static_cast<unsigned char>(byte));
}

std::optional<unsigned char> byte_of_character(char32_t c) {
  if (c < first_stand_in) {
    if (!stands_for_itself(c)) return std::nullopt;
    return static_cast<unsigned char>(c);
  }
  if (c - first_stand_in >= stand_ins) return std::nullopt;
  return alphabet.byte_of_stand_in[c - first_stand_in];
}

}  // namespace kobolt::text
