#include "tokenizer/unicode.h"

#include <unicode/uchar.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <span>

namespace kobolt::text {
namespace {

constexpr std::string_view replacement_character = "\xEF\xBF\xBD";

unsigned char byte_at(std::string_view bytes, std::size_t at) {
  return static_cast<unsigned char>(bytes[at]);
}

struct Sequence {
  std::size_t length;  // bytes that belong together, at least 1
  bool valid;
};

// The well-formed sequence at `at`, or the longest beginning of one (Unicode, table 3-7).
Sequence sequence_at(std::string_view bytes, std::size_t at) {
  const unsigned char lead = byte_at(bytes, at);
  if (lead < 0x80) return {1, true};
  std::size_t need = 0;
  unsigned char low = 0x80;
  unsigned char high = 0xBF;
  if (lead >= 0xC2 && lead <= 0xDF) {
    need = 1;
  } else if (lead >= 0xE0 && lead <= 0xEF) {
    need = 2;
    if (lead == 0xE0) low = 0xA0;
    if (lead == 0xED) high = 0x9F;
  } else if (lead >= 0xF0 && lead <= 0xF4) {
    need = 3;
    if (lead == 0xF0) low = 0x90;
    if (lead == 0xF4) high = 0x8F;
  } else {
    return {1, false};
  }
  for (std::size_t i = 1; i <= need; ++i) {
    if (at + i >= bytes.size()) return {i, false};
    const unsigned char next = byte_at(bytes, at + i);
    if (next < low || next > high) return {i, false};
    low = 0x80;
    high = 0xBF;
  }
  return {need + 1, true};
}

std::uint32_t category_mask(char32_t c) { return U_GET_GC_MASK(static_cast<UChar32>(c)); }

// Hugging Face `tokenizers` takes its classes from several libraries, each with the Unicode version
// of its day. A text must be cut as it was in training, so the versions are part of the contract.
bool older_than(char32_t c, std::uint8_t unicode_version) {
  UVersionInfo age = {};
  u_charAge(static_cast<UChar32>(c), age);
  return age[0] != 0 && age[0] < unicode_version;
}

struct Range {
  char32_t first;
  char32_t last;
};

bool contains(std::span<const Range> ranges, char32_t c) {
  const auto after =
      std::upper_bound(ranges.begin(), ranges.end(), c,
                       [](char32_t value, Range range) { return value < range.first; });
  return after != ranges.begin() && c <= std::prev(after)->last;
}

// What Unicode 16 has added to the version that ICU 72 knows.
constexpr std::array<Range, 22> new_letters = {{
    {0x1C89, 0x1C8A},   {0xA7CB, 0xA7CD},   {0xA7DA, 0xA7DC},   {0x105C0, 0x105F3},
    {0x10D4A, 0x10D65}, {0x10D6F, 0x10D85}, {0x10EC2, 0x10EC4}, {0x11380, 0x11389},
    {0x1138B, 0x1138B}, {0x1138E, 0x1138E}, {0x11390, 0x113B5}, {0x113B7, 0x113B7},
    {0x113D1, 0x113D1}, {0x113D3, 0x113D3}, {0x11BC0, 0x11BE0}, {0x13460, 0x143FA},
    {0x16100, 0x1611D}, {0x16D40, 0x16D6C}, {0x18CFF, 0x18CFF}, {0x1E5D0, 0x1E5ED},
    {0x1E5F0, 0x1E5F0}, {0x2EBF0, 0x2EE5D},
}};
constexpr std::array<Range, 7> new_numbers = {{
    {0x10D40, 0x10D49},
    {0x116D0, 0x116E3},
    {0x11BF0, 0x11BF9},
    {0x16130, 0x16139},
    {0x16D70, 0x16D79},
    {0x1CCF0, 0x1CCF9},
    {0x1E5F1, 0x1E5FA},
}};
constexpr std::array<Range, 2> unicode_17_numbers = {{{0x11DE0, 0x11DE9}, {0x16FF4, 0x16FF6}}};
constexpr std::array<Range, 13> new_marks = {{
    {0x897, 0x897},
    {0x10D69, 0x10D6D},
    {0x10EFC, 0x10EFC},
    {0x113B8, 0x113C0},
    {0x113C2, 0x113C2},
    {0x113C5, 0x113C5},
    {0x113C7, 0x113CA},
    {0x113CC, 0x113D0},
    {0x113D2, 0x113D2},
    {0x113E1, 0x113E2},
    {0x11F5A, 0x11F5A},
    {0x1611E, 0x1612F},
    {0x1E5EE, 0x1E5EF},
}};
constexpr char32_t first_new = 0x897;

struct LowerRange {
  char32_t first;
  char32_t last;
  std::int32_t distance;  // to the lower case
};
constexpr std::array<LowerRange, 10> new_lower_case = {{
    {0x1C89, 0x1C89, 1},
    {0xA7CB, 0xA7CB, 0x264 - 0xA7CB},
    {0xA7CC, 0xA7CC, 1},
    {0xA7CE, 0xA7CE, 1},
    {0xA7D2, 0xA7D2, 1},
    {0xA7D4, 0xA7D4, 1},
    {0xA7DA, 0xA7DA, 1},
    {0xA7DC, 0xA7DC, 0x19B - 0xA7DC},
    {0x10D50, 0x10D65, 0x20},
    {0x16EA0, 0x16EB8, 0x1B},
}};

}  // namespace

void append_utf8(std::string& out, char32_t c) {
  const auto push = [&](char32_t byte) { out.push_back(static_cast<char>(byte)); };
  if (c < 0x80) {
    push(c);
  } else if (c < 0x800) {
    push(0xC0 | (c >> 6));
    push(0x80 | (c & 0x3F));
  } else if (c < 0x10000) {
    push(0xE0 | (c >> 12));
    push(0x80 | ((c >> 6) & 0x3F));
    push(0x80 | (c & 0x3F));
  } else {
    push(0xF0 | (c >> 18));
    push(0x80 | ((c >> 12) & 0x3F));
    push(0x80 | ((c >> 6) & 0x3F));
    push(0x80 | (c & 0x3F));
  }
}

std::size_t count_code_points(std::string_view utf8) {
  std::size_t count = 0;
  for (const char c : utf8) {
    if ((static_cast<unsigned char>(c) & 0xC0) != 0x80) ++count;
  }
  return count;
}

std::size_t valid_prefix(std::string_view bytes) {
  std::size_t at = 0;
  while (at < bytes.size()) {
    if (byte_at(bytes, at) < 0x80) {
      std::uint64_t block = 0;
      while (at + sizeof(block) <= bytes.size()) {
        std::memcpy(&block, bytes.data() + at, sizeof(block));
        if ((block & 0x8080808080808080U) != 0) break;
        at += sizeof(block);
      }
      while (at < bytes.size() && byte_at(bytes, at) < 0x80) ++at;
      continue;
    }
    // The usual case of three bytes, without surrogates and overlong forms to tell apart.
    const unsigned char lead = byte_at(bytes, at);
    if (lead > 0xE0 && lead < 0xED && at + 2 < bytes.size() &&
        (byte_at(bytes, at + 1) & 0xC0U) == 0x80 && (byte_at(bytes, at + 2) & 0xC0U) == 0x80) {
      at += 3;
      continue;
    }
    const Sequence sequence = sequence_at(bytes, at);
    if (!sequence.valid) return at;
    at += sequence.length;
  }
  return at;
}

std::string_view repaired_utf8(std::string_view bytes, std::string& storage) {
  std::size_t valid = valid_prefix(bytes);
  if (valid == bytes.size()) return bytes;
  storage.clear();
  while (true) {
    storage.append(bytes.substr(0, valid));
    bytes.remove_prefix(valid);
    if (bytes.empty()) return storage;
    storage.append(replacement_character);
    bytes.remove_prefix(sequence_at(bytes, 0).length);
    valid = valid_prefix(bytes);
  }
}

bool is_whitespace(char32_t c) {
  if (c < 0x80) return c == ' ' || (c >= '\t' && c <= '\r');
  return u_isUWhiteSpace(static_cast<UChar32>(c)) != 0;
}

bool is_word(char32_t c) {
  if (c < 0x80) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  }
  if (c >= 0xAC00 && c <= 0xD7A3) return true;
  if ((category_mask(c) & (U_GC_M_MASK | U_GC_ND_MASK | U_GC_PC_MASK)) != 0 ||
      u_isUAlphabetic(static_cast<UChar32>(c)) != 0 || c == 0x200C || c == 0x200D) {
    return true;
  }
  return c >= first_new &&
         (contains(new_letters, c) || contains(new_marks, c) || contains(new_numbers, c));
}

bool is_letter(char32_t c) {
  if (c < 0x80) return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
  if (c >= 0xAC00 && c <= 0xD7A3) return true;
  return (category_mask(c) & U_GC_L_MASK) != 0 || (c >= first_new && contains(new_letters, c));
}

bool is_numeric(char32_t c) {
  if (c < 0x80) return c >= '0' && c <= '9';
  if (c >= 0xAC00 && c <= 0xD7A3) return false;
  return (category_mask(c) & U_GC_N_MASK) != 0 ||
         (c >= first_new && (contains(new_numbers, c) || contains(unicode_17_numbers, c)));
}

bool is_punctuation(char32_t c) {
  if (c < 0x80) {
    return (c >= '!' && c <= '/') || (c >= ':' && c <= '@') || (c >= '[' && c <= '`') ||
           (c >= '{' && c <= '~');
  }
  if (c == 0x166D || c == 0x111C9) return true;  // changed their category later
  return (category_mask(c) & U_GC_P_MASK) != 0 && older_than(c, 9);
}

bool is_control(char32_t c) {
  return (category_mask(c) & (U_GC_CC_MASK | U_GC_CF_MASK | U_GC_CO_MASK)) != 0 && older_than(c, 9);
}

bool is_mark(char32_t c) {
  if (c < 0x300 || c == 0x111C9) return false;
  if (c == 0x1CF2 || c == 0x1CF3) return true;  // changed their category later, as U+111C9
  return (category_mask(c) & U_GC_M_MASK) != 0 && older_than(c, 10);
}

bool is_nonspacing_mark(char32_t c) {
  if (c < 0x300 || c == 0x1885 || c == 0x1886 || c == 0x111C9) return false;
  if (c == 0x1734 || c == 0xA9BD) return true;  // changed their category later, as those above
  return (category_mask(c) & U_GC_MN_MASK) != 0 && older_than(c, 9);
}

bool is_cjk_ideograph(char32_t c) {
  return (c >= 0x4E00 && c <= 0x9FFF) || (c >= 0x3400 && c <= 0x4DBF) ||
         (c >= 0x20000 && c <= 0x2A6DF) || (c >= 0x2A700 && c <= 0x2B73F) ||
         (c >= 0x2B740 && c <= 0x2B81F) || (c >= 0x2B920 && c <= 0x2CEAF) ||
         (c >= 0xF900 && c <= 0xFAFF) || (c >= 0x2F800 && c <= 0x2FA1F);
}

void append_lower(std::string& out, char32_t c) {
  if (c == 0x130) {  // the one character whose lower case is two
    out += "i\xCC\x87";
    return;
  }
  for (const LowerRange& range : new_lower_case) {
    if (c < range.first) break;
    if (c <= range.last) {
      append_utf8(out, static_cast<char32_t>(static_cast<std::int32_t>(c) + range.distance));
      return;
    }
  }
  append_utf8(out, static_cast<char32_t>(u_tolower(static_cast<UChar32>(c))));
}

}  // namespace kobolt::text
