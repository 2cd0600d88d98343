#include "cli/text_width.h"

#include <utf8proc.h>

#include <algorithm>
#include <functional>

namespace kobolt::cli {
namespace {

constexpr utf8proc_int32_t kReplacement = 0xFFFD;
constexpr utf8proc_int32_t kEmojiPresentation = 0xFE0F;

bool is_control(utf8proc_int32_t code) { return utf8proc_category(code) == UTF8PROC_CATEGORY_CC; }

// Calls `visit(begin, end, width)` with byte offsets for each grapheme cluster until it returns
// false.
void for_each_cluster(std::string_view text,
                      const std::function<bool(std::size_t, std::size_t, std::size_t)>& visit) {
  const auto* bytes = reinterpret_cast<const utf8proc_uint8_t*>(text.data());
  std::size_t begin = 0;
  std::size_t position = 0;
  std::size_t width = 0;
  utf8proc_int32_t previous = -1;
  utf8proc_int32_t state = 0;
  while (position < text.size()) {
    utf8proc_int32_t code = 0;
    auto length = utf8proc_iterate(bytes + position,
                                   static_cast<utf8proc_ssize_t>(text.size() - position), &code);
    if (length <= 0) {
      code = kReplacement;
      length = 1;
    }
    if (previous >= 0 && utf8proc_grapheme_break_stateful(previous, code, &state) != 0) {
      if (!visit(begin, position, width)) return;
      begin = position;
      width = 0;
    }
    // A cluster is as wide as its widest member, so joined emoji are one emoji wide.
    const int columns = code == kEmojiPresentation ? 2
                        : is_control(code)         ? 1
                                                   : utf8proc_charwidth(code);
    width = std::max(width, static_cast<std::size_t>(std::max(0, columns)));
    previous = code;
    position += static_cast<std::size_t>(length);
  }
  if (position > begin) visit(begin, position, width);
}

}  // namespace

std::size_t display_width(std::string_view text) {
  std::size_t total = 0;
  for_each_cluster(text, [&total](std::size_t, std::size_t, std::size_t width) {
    total += width;
    return true;
  });
  return total;
}

std::string fit_to_width(std::string_view text, std::size_t columns) {
  std::string result;
  std::size_t used = 0;
  std::size_t room_for_mark = 0;  // length of `result` at the last point where "…" still fits
  bool cut = false;
  for_each_cluster(text, [&](std::size_t begin, std::size_t end, std::size_t width) {
    if (used + width > columns) {
      cut = true;
      return false;
    }
    const auto cluster = text.substr(begin, end - begin);
    utf8proc_int32_t code = 0;
    const auto length = utf8proc_iterate(reinterpret_cast<const utf8proc_uint8_t*>(cluster.data()),
                                         static_cast<utf8proc_ssize_t>(cluster.size()), &code);
    if (length <= 0) {
      result += "\xEF\xBF\xBD";
    } else if (is_control(code)) {
      result += ' ';
    } else {
      result += cluster;
    }
    used += width;
    if (used < columns) room_for_mark = result.size();
    return true;
  });
  if (!cut) return result;
  result.resize(room_for_mark);
  return columns == 0 ? std::string{} : result + "…";
}

}  // namespace kobolt::cli
