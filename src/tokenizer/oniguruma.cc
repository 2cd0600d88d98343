#include "tokenizer/oniguruma.h"

#include <unicode/uchar.h>

#include <algorithm>
#include <array>
#include <string>
#include <utility>

namespace kobolt::text {
namespace {

// What \w and the POSIX classes stand for in Oniguruma, where PCRE2's differ.
// Superscripts and fractions of Latin-1 count as word characters, others do not.
constexpr std::string_view word_members =
    "\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}\\x{B2}\\x{B3}\\x{B9}\\x{BC}-\\x{BE}";
constexpr std::string_view hex_members = "0-9a-fA-F";
constexpr std::array<std::pair<std::string_view, std::string_view>, 5> posix_classes = {{
    {"alnum", "\\p{Alphabetic}\\p{Nd}"},
    {"alpha", "\\p{Alphabetic}"},
    {"punct", "\\p{P}\\p{S}"},
    {"space", "\\p{White_Space}"},
    {"word", "\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}"},
}};

class Translation {
 public:
  Translation(std::string_view pattern, const JsonField& where)
      : pattern_(pattern), where_(&where) {}

  std::string run() {
    while (at_ < pattern_.size()) {
      const char c = pattern_[at_];
      if (c == '\\') {
        escape(false);
      } else if (c == '[') {
        character_class();
      } else if (c == '(' && next_is('?')) {
        group();
      } else {
        out_.push_back(c);
        ++at_;
      }
    }
    return std::move(out_);
  }

 private:
  [[nodiscard]] bool next_is(char c) const {
    return at_ + 1 < pattern_.size() && pattern_[at_ + 1] == c;
  }
  [[noreturn]] void refuse(const std::string& what) const {
    where_->fail(ErrorKind::unsupported, "uses " + what + ", which Kobolt cannot run");
  }

  void members(std::string_view members, bool negated, bool inside) {
    if (!inside) {
      out_ += negated ? "[^" : "[";
      out_ += members;
      out_ += ']';
    } else if (negated) {
      refuse("a negated class inside a class");
    } else {
      out_ += members;
    }
  }

  void escape(bool inside) {
    if (at_ + 1 >= pattern_.size()) {  // PCRE2 reports it
      out_ += pattern_[at_++];
      return;
    }
    const char c = pattern_[at_ + 1];
    switch (c) {
      case 'w':
      case 'W':
        members(word_members, c == 'W', inside);
        break;
      // PCRE2's own has U+180E too.
      case 's':
        out_ += "\\p{White_Space}";
        break;
      case 'S':
        out_ += "\\P{White_Space}";
        break;
      case 'h':
      case 'H':
        members(hex_members, c == 'H', inside);
        break;
      case 'b':
      case 'B':
        if (inside) {
          out_ += "\\x{8}";
        } else {
          boundary(c == 'b');
        }
        break;
      case 'u':
        code_unit();
        return;
      case 'p':
      case 'P':
        if (at_ + 2 < pattern_.size() && pattern_[at_ + 2] == '{') {
          property();
          return;
        }
        out_ += {'\\', c};
        break;
      default:
        out_ += {'\\', c};
        break;
    }
    at_ += 2;
  }

  void boundary(bool wanted) {
    const std::string word = "[" + std::string(word_members) + "]";
    out_ += wanted ? "(?:(?<=" + word + ")(?!" + word + ")|(?<!" + word + ")(?=" + word + "))"
                   : "(?:(?<=" + word + ")(?=" + word + ")|(?<!" + word + ")(?!" + word + "))";
  }

  // \uHHHH
  void code_unit() {
    constexpr std::size_t digits = 4;
    if (at_ + 2 + digits > pattern_.size()) refuse("an incomplete \\u");
    out_ += "\\x{";
    out_ += pattern_.substr(at_ + 2, digits);
    out_ += '}';
    at_ += 2 + digits;
  }

  // \p{Name}: PCRE2 knows categories by their short names only, and takes a bare script name to
  // mean extensions too.
  void property() {
    const std::size_t end = pattern_.find('}', at_);
    if (end == std::string_view::npos) refuse("an incomplete \\p");
    std::string name(pattern_.substr(at_ + 3, end - at_ - 3));
    bool negated = pattern_[at_ + 1] == 'P';
    if (name.starts_with('^')) {
      negated = !negated;
      name.erase(0, 1);
    }
    const UProperty property_kinds[] = {UCHAR_GENERAL_CATEGORY_MASK, UCHAR_SCRIPT};
    for (const UProperty kind : property_kinds) {
      const int value = u_getPropertyValueEnum(kind, name.c_str());
      if (value == UCHAR_INVALID_CODE) continue;
      const char* short_name = u_getPropertyValueName(kind, value, U_SHORT_PROPERTY_NAME);
      const char* long_name = u_getPropertyValueName(kind, value, U_LONG_PROPERTY_NAME);
      if (kind == UCHAR_SCRIPT && long_name != nullptr) {
        name = std::string("sc:") + long_name;
      } else if (kind != UCHAR_SCRIPT && short_name != nullptr) {
        name = short_name;
      }
      break;
    }
    out_ += negated ? "\\P{" : "\\p{";
    out_ += name + "}";
    at_ = end + 1;
  }

  void character_class() {
    out_ += pattern_[at_++];
    if (at_ < pattern_.size() && pattern_[at_] == '^') out_ += pattern_[at_++];
    bool first = true;
    while (at_ < pattern_.size() && (first || pattern_[at_] != ']')) {
      const char c = pattern_[at_];
      first = false;
      if (c == '\\') {
        escape(true);
        continue;
      }
      if (c == '&' && next_is('&')) refuse("an intersection of classes");
      if (c == '[') {
        const std::size_t end = pattern_.find(":]", at_);
        if (!next_is(':') || end == std::string_view::npos) refuse("a class inside a class");
        const std::string_view name = pattern_.substr(at_ + 2, end - at_ - 2);
        const auto posix = std::find_if(posix_classes.begin(), posix_classes.end(),
                                        [&](const auto& entry) { return entry.first == name; });
        if (posix != posix_classes.end()) {
          out_ += posix->second;
        } else if (name.starts_with('^')) {
          refuse("a negated class inside a class");
        } else {
          out_ += pattern_.substr(at_, end + 2 - at_);
        }
        at_ = end + 2;
        continue;
      }
      out_ += c;
      ++at_;
    }
    if (at_ < pattern_.size()) out_ += pattern_[at_++];
  }

  // "(?" and what follows: in an option group, Ruby's m is what others call s.
  void group() {
    std::size_t end = at_ + 2;
    while (end < pattern_.size() && (pattern_[end] == '-' || pattern_[end] == 'i' ||
                                     pattern_[end] == 'm' || pattern_[end] == 'x')) {
      ++end;
    }
    const bool options =
        end > at_ + 2 && end < pattern_.size() && (pattern_[end] == ':' || pattern_[end] == ')');
    if (!options) end = at_ + 2;
    for (; at_ < end; ++at_) out_ += options && pattern_[at_] == 'm' ? 's' : pattern_[at_];
  }

  std::string_view pattern_;
  const JsonField* where_;
  std::size_t at_ = 0;
  std::string out_;
};

}  // namespace

std::string oniguruma_to_pcre2(std::string_view pattern, const JsonField& where) {
  return Translation(pattern, where).run();
}

}  // namespace kobolt::text
