#include "tokenizer/byte_level.h"

#include <array>
#include <cstring>
#include <string_view>

#include "tokenizer/byte_alphabet.h"
#include "tokenizer/unicode.h"

namespace kobolt::text {
namespace {

enum class Kind : std::uint8_t { letter, number, space, other };

Kind kind_of(char32_t c) {
  if (is_letter(c)) return Kind::letter;
  if (is_numeric(c)) return Kind::number;
  if (is_whitespace(c)) return Kind::space;
  return Kind::other;
}

// Length of the English contraction that `text` begins with, or 0.
std::size_t contraction(std::string_view text) {
  constexpr std::array<std::string_view, 7> endings = {"'s", "'t", "'re", "'ve", "'m", "'ll", "'d"};
  for (const std::string_view ending : endings) {
    if (text.starts_with(ending)) return ending.size();
  }
  return 0;
}

// End of the word that begins at `at`: what the expression
// 's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
// matches there. It matches everywhere.
std::size_t word_end(std::string_view text, std::size_t at) {
  if (text[at] == '\'') {
    if (const std::size_t length = contraction(text.substr(at))) return at + length;
  }
  const std::size_t start = text[at] == ' ' && at + 1 < text.size() ? at + 1 : at;
  const CodePoint first = decode_at(text, start);
  const Kind kind = kind_of(first.value);
  if (kind != Kind::space) {
    std::size_t stop = start + first.length;
    while (stop < text.size()) {
      const CodePoint point = decode_at(text, stop);
      if (kind_of(point.value) != kind) break;
      stop += point.length;
    }
    return stop;
  }
  // White space: all of it, but its last character goes with a word that follows.
  std::size_t stop = at;
  std::size_t last = at;
  while (stop < text.size()) {
    const CodePoint point = decode_at(text, stop);
    if (!is_whitespace(point.value)) break;
    last = stop;
    stop += point.length;
  }
  return stop == text.size() || last == at ? stop : last;
}

class ByteLevel final : public PreTokenizer {
 public:
  ByteLevel(bool add_prefix_space, bool use_regex)
      : add_prefix_space_(add_prefix_space), use_regex_(use_regex) {}

  void split(const Piece& piece, PieceSink& sink) const override {
    std::string_view text = piece.text;
    if (add_prefix_space_ && !text.starts_with(' ')) {
      char* bytes = sink.arena().allocate(text.size() + 1);
      bytes[0] = ' ';
      std::memcpy(bytes + 1, text.data(), text.size());
      text = {bytes, text.size() + 1};
    }
    char* const spelled = sink.arena().allocate(text.size() * 2);
    char* out = spelled;
    for (std::size_t at = 0; at < text.size();) {
      const std::size_t stop = use_regex_ ? word_end(text, at) : text.size();
      const char* const begin = out;
      for (const char byte : text.substr(at, stop - at)) {
        const std::string_view character = byte_character(static_cast<unsigned char>(byte));
        *out++ = character[0];
        if (character.size() == 2) *out++ = character[1];
      }
      sink.emit({begin, static_cast<std::size_t>(out - begin)}, piece.at_start && at == 0);
      at = stop;
    }
    sink.arena().shrink_last(text.size() * 2 - static_cast<std::size_t>(out - spelled));
  }

 private:
  bool add_prefix_space_;
  bool use_regex_;
};

}  // namespace

std::unique_ptr<PreTokenizer> make_byte_level(bool add_prefix_space, bool use_regex) {
  return std::make_unique<ByteLevel>(add_prefix_space, use_regex);
}

std::unique_ptr<PreTokenizer> load_byte_level(const JsonField& field) {
  return make_byte_level(field.flag("add_prefix_space", true), field.flag("use_regex", true));
}

}  // namespace kobolt::text
