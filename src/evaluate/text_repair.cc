#include "evaluate/text_repair.h"

#include <unicode/utf8.h>

#include <cstddef>
#include <cstdint>
#include <optional>

namespace kobolt {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

// Where the first broken sequence starts; the size when there is none.
std::size_t first_invalid(std::string_view bytes) {
  const auto size = static_cast<std::int64_t>(bytes.size());
  std::int64_t next = 0;
  while (next < size) {
    const std::int64_t start = next;
    UChar32 code = 0;
    U8_NEXT(bytes, next, size, code);
    if (code < 0) return static_cast<std::size_t>(start);
  }
  return bytes.size();
}

// The value of the \uXXXX escape at `at`, if there is one.
std::optional<unsigned> unicode_escape(std::string_view text, std::size_t at) {
  if (at + 6 > text.size() || text[at] != '\\' || text[at + 1] != 'u') return std::nullopt;
  unsigned value = 0;
  for (std::size_t i = at + 2; i < at + 6; ++i) {
    const char c = text[i];
    unsigned digit = 0;
    if (c >= '0' && c <= '9') {
      digit = static_cast<unsigned>(c - '0');
    } else if (c >= 'a' && c <= 'f') {
      digit = static_cast<unsigned>(c - 'a') + 10;
    } else if (c >= 'A' && c <= 'F') {
      digit = static_cast<unsigned>(c - 'A') + 10;
    } else {
      return std::nullopt;
    }
    value = value * 16 + digit;
  }
  return value;
}

bool is_high(unsigned code) { return code >= 0xD800 && code < 0xDC00; }
bool is_low(unsigned code) { return code >= 0xDC00 && code < 0xE000; }

}  // namespace

std::string_view repaired_utf8(std::string_view bytes, std::string& storage) {
  const std::size_t good = first_invalid(bytes);
  if (good == bytes.size()) return bytes;
  storage.assign(bytes.substr(0, good));
  const auto size = static_cast<std::int64_t>(bytes.size());
  auto next = static_cast<std::int64_t>(good);
  while (next < size) {
    const std::int64_t start = next;
    UChar32 code = 0;
    U8_NEXT(bytes, next, size, code);
    if (code < 0) {
      storage += kReplacement;
    } else {
      storage +=
          bytes.substr(static_cast<std::size_t>(start), static_cast<std::size_t>(next - start));
    }
  }
  return storage;
}

std::string_view repaired_surrogates(std::string_view json, std::string& storage) {
  if (json.find("\\ud") == std::string_view::npos && json.find("\\uD") == std::string_view::npos) {
    return json;
  }
  std::string fixed(json);
  bool changed = false;
  for (std::size_t i = 0; i < fixed.size();) {
    if (fixed[i] != '\\') {
      ++i;
      continue;
    }
    const auto code = unicode_escape(fixed, i);
    if (!code) {
      i += 2;
      continue;
    }
    if (is_high(*code)) {
      const auto partner = unicode_escape(fixed, i + 6);
      if (partner && is_low(*partner)) {
        i += 12;
        continue;
      }
    }
    if (is_high(*code) || is_low(*code)) {
      fixed.replace(i, 6, "\\ufffd");
      changed = true;
    }
    i += 6;
  }
  if (!changed) return json;
  storage = std::move(fixed);
  return storage;
}

std::string excerpt(std::string_view text, std::size_t limit) {
  if (text.size() <= limit) return std::string(text);
  std::size_t end = limit;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) --end;
  return std::string(text.substr(0, end)) + "...";
}

}  // namespace kobolt
