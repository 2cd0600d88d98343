#include "tokenizer/precompiled_charsmap.h"

#include <utf8proc.h>

#include <array>
#include <cstring>

#include "tokenizer/unicode.h"

namespace kobolt::text {
namespace {

// Fields of a unit of the double array.
bool has_leaf(std::uint32_t unit) { return ((unit >> 8U) & 1U) != 0; }
std::uint32_t value_of(std::uint32_t unit) { return unit & 0x7FFFFFFFU; }
std::uint32_t label_of(std::uint32_t unit) { return unit & 0x800000FFU; }
std::uint32_t offset_of(std::uint32_t unit) { return (unit >> 10U) << ((unit & 0x200U) >> 6U); }

std::uint32_t little_endian(const char* bytes) {
  std::uint32_t value = 0;
  for (unsigned i = 0; i < 4; ++i) {
    value |= std::uint32_t{static_cast<unsigned char>(bytes[i])} << (8 * i);
  }
  return value;
}

std::string from_base64(const JsonField& field) {
  std::string bytes;
  std::uint32_t bits = 0;
  unsigned count = 0;
  for (const char c : field.string()) {
    std::uint32_t digit = 0;
    if (c >= 'A' && c <= 'Z') {
      digit = static_cast<std::uint32_t>(c - 'A');
    } else if (c >= 'a' && c <= 'z') {
      digit = static_cast<std::uint32_t>(c - 'a') + 26;
    } else if (c >= '0' && c <= '9') {
      digit = static_cast<std::uint32_t>(c - '0') + 52;
    } else if (c == '+') {
      digit = 62;
    } else if (c == '/') {
      digit = 63;
    } else if (c == '=') {
      break;
    } else {
      field.fail(ErrorKind::corrupt, "is not base64");
    }
    bits = (bits << 6U) | digit;
    count += 6;
    if (count >= 8) {
      count -= 8;
      bytes.push_back(static_cast<char>((bits >> count) & 0xFFU));
    }
  }
  return bytes;
}

// Longer graphemes are not looked up whole.
constexpr std::size_t longest_grapheme = 5;

}  // namespace

PrecompiledCharsmap::PrecompiledCharsmap(std::string_view blob, const JsonField& where) {
  constexpr std::size_t unit_size = 4;
  const auto complain = [&] { where.fail(ErrorKind::corrupt, "contradicts its own length"); };
  if (blob.size() < unit_size) complain();
  const std::size_t trie_size = little_endian(blob.data());
  blob.remove_prefix(unit_size);
  if (trie_size > blob.size() || trie_size % unit_size != 0 || trie_size == 0) complain();
  units_.reserve(trie_size / unit_size);
  for (std::size_t at = 0; at < trie_size; at += unit_size) {
    units_.push_back(little_endian(blob.data() + at));
  }
  replacements_ = blob.substr(trie_size);
  if (valid_prefix(replacements_) != replacements_.size()) {
    where.fail(ErrorKind::corrupt, "replaces characters by invalid UTF-8");
  }
}

std::optional<std::string_view> PrecompiledCharsmap::replacement_of(std::string_view part) const {
  std::uint32_t node = offset_of(units_[0]);
  for (const char c : part) {
    const auto byte = std::uint32_t{static_cast<unsigned char>(c)};
    if (byte == 0) return std::nullopt;
    node ^= byte;
    if (node >= units_.size() || label_of(units_[node]) != byte) return std::nullopt;
    const std::uint32_t unit = units_[node];
    node ^= offset_of(unit);
    if (node >= units_.size()) return std::nullopt;
    if (has_leaf(unit)) {
      const std::size_t start = value_of(units_[node]);
      if (start >= replacements_.size()) return std::string_view();
      // A hostile table may point into the middle of a character; such bytes are left out.
      std::string_view replacement = std::string_view(replacements_).substr(start);
      replacement = replacement.substr(0, replacement.find('\0'));
      if (valid_prefix(replacement) != replacement.size()) return std::string_view();
      return replacement;
    }
  }
  return std::nullopt;
}

void PrecompiledCharsmap::apply(NormalizedText& text) const {
  const std::string_view view = text.view();
  std::string out;
  std::size_t copied = 0;  // what precedes is in `out`, when `changed`
  bool changed = false;
  const auto replace = [&](std::size_t start, std::size_t stop, std::string_view replacement) {
    changed = true;
    out.append(view.substr(copied, start - copied));
    out.append(replacement);
    copied = stop;
  };
  for (std::size_t at = 0; at < view.size();) {
    // The grapheme that begins here.
    std::size_t stop = at;
    CodePoint point = decode_at(view, at);
    utf8proc_int32_t state = 0;
    while (true) {
      stop += point.length;
      if (stop == view.size()) break;
      const CodePoint next = decode_at(view, stop);
      if (point.value >= 0x20 && point.value < 0x7F && next.value >= 0x20 && next.value < 0x7F)
        break;
      if (utf8proc_grapheme_break_stateful(static_cast<utf8proc_int32_t>(point.value),
                                           static_cast<utf8proc_int32_t>(next.value), &state)) {
        break;
      }
      point = next;
    }
    const std::string_view grapheme = view.substr(at, stop - at);
    const auto whole =
        grapheme.size() <= longest_grapheme ? replacement_of(grapheme) : std::nullopt;
    if (whole) {
      replace(at, stop, *whole);
    } else {
      for (std::size_t inner = at; inner < stop;) {
        const std::size_t length = decode_at(view, inner).length;
        if (const auto part = replacement_of(view.substr(inner, length))) {
          replace(inner, inner + length, *part);
        }
        inner += length;
      }
    }
    at = stop;
  }
  if (!changed) return;
  out.append(view.substr(copied));
  text.replace(std::move(out));
}

std::unique_ptr<Normalizer> load_precompiled_charsmap(const JsonField& field) {
  const JsonField blob = field.at("precompiled_charsmap");
  const std::string bytes = from_base64(blob);
  if (bytes.empty()) return nullptr;
  return std::make_unique<PrecompiledCharsmap>(bytes, blob);
}

}  // namespace kobolt::text
