#include "tokenizer/pretokenizer.h"

#include <unicode/uchar.h>
#include <unicode/uscript.h>

#include <array>
#include <string>
#include <utility>

#include "tokenizer/byte_level.h"
#include "tokenizer/metaspace.h"
#include "tokenizer/pattern_split.h"
#include "tokenizer/regex.h"
#include "tokenizer/unicode.h"

namespace kobolt::text {
namespace {

class WhitespaceSplit final : public PreTokenizer {
 public:
  void split(const Piece& piece, PieceSink& sink) const override {
    split_at(piece, Delimiters::removed, sink, is_whitespace);
  }
};

/// Words and runs of signs; white space is dropped.
class Whitespace final : public PreTokenizer {
 public:
  void split(const Piece& piece, PieceSink& sink) const override {
    const auto kind_of = [](char32_t c) {
      if (is_word(c)) return Kind::word;
      return is_whitespace(c) ? Kind::space : Kind::sign;
    };
    std::size_t start = 0;
    Kind kind = Kind::space;
    for (std::size_t at = 0; at < piece.text.size();) {
      const CodePoint point = decode_at(piece.text, at);
      const Kind next = kind_of(point.value);
      if (next != kind) {
        if (kind != Kind::space) emit(piece, start, at, sink);
        start = at;
        kind = next;
      }
      at += point.length;
    }
    if (kind != Kind::space) emit(piece, start, piece.text.size(), sink);
  }

 private:
  enum class Kind : std::uint8_t { word, space, sign };
  static void emit(const Piece& piece, std::size_t start, std::size_t stop, PieceSink& sink) {
    sink.emit(piece.text.substr(start, stop - start), piece.at_start && start == 0);
  }
};

class Punctuation final : public PreTokenizer {
 public:
  explicit Punctuation(Delimiters delimiters) : delimiters_(delimiters) {}
  void split(const Piece& piece, PieceSink& sink) const override {
    split_at(piece, delimiters_, sink, is_punctuation);
  }

 private:
  Delimiters delimiters_;
};

class Digits final : public PreTokenizer {
 public:
  explicit Digits(bool individual)
      : delimiters_(individual ? Delimiters::isolated : Delimiters::contiguous) {}
  void split(const Piece& piece, PieceSink& sink) const override {
    split_at(piece, delimiters_, sink, is_numeric);
  }

 private:
  Delimiters delimiters_;
};

class CharDelimiterSplit final : public PreTokenizer {
 public:
  explicit CharDelimiterSplit(char32_t delimiter) : delimiter_(delimiter) {}
  void split(const Piece& piece, PieceSink& sink) const override {
    split_at(piece, Delimiters::removed, sink, [this](char32_t c) { return c == delimiter_; });
  }

 private:
  char32_t delimiter_;
};

/// Splits at a pattern, or at what is between its matches.
class PatternSplit final : public PreTokenizer {
 public:
  PatternSplit(const JsonField& pattern, Delimiters delimiters, bool invert)
      : pattern_(pattern), delimiters_(delimiters), invert_(invert) {}
  void split(const Piece& piece, PieceSink& sink) const override {
    std::vector<Stretch>& stretches = sink.stretches();
    stretches.clear();
    std::size_t covered = 0;
    pattern_.for_each_match(piece.text, [&](std::size_t start, std::size_t stop) {
      if (covered < start) stretches.push_back({covered, start, invert_});
      stretches.push_back({start, stop, !invert_});
      covered = stop;
    });
    if (covered < piece.text.size()) stretches.push_back({covered, piece.text.size(), invert_});
    emit_stretches(piece, stretches, delimiters_, sink);
  }

 private:
  Pattern pattern_;
  Delimiters delimiters_;
  bool invert_;
};

class FixedLength final : public PreTokenizer {
 public:
  explicit FixedLength(std::int64_t length) : length_(length) {}
  void split(const Piece& piece, PieceSink& sink) const override {
    std::size_t start = 0;
    std::int64_t count = 0;
    for (std::size_t at = 0; at < piece.text.size();) {
      at += decode_at(piece.text, at).length;
      if (++count == length_ || at == piece.text.size()) {
        sink.emit(piece.text.substr(start, at - start), piece.at_start && start == 0);
        start = at;
        count = 0;
      }
    }
  }

 private:
  std::int64_t length_;
};

/// Cuts where the script changes, as SentencePiece's trainer does: Japanese scripts count as one,
/// spaces as any.
class UnicodeScripts final : public PreTokenizer {
 public:
  void split(const Piece& piece, PieceSink& sink) const override {
    constexpr int any = -1;
    constexpr int none = -2;
    int last = none;
    std::size_t start = 0;
    for (std::size_t at = 0; at < piece.text.size();) {
      const CodePoint point = decode_at(piece.text, at);
      const int script = script_of(point.value, any);
      if (script != any && script != last) {
        // What comes before the first script, spaces only, is dropped.
        if (last != none) emit(piece, start, at, sink);
        start = at;
      }
      if (script != any) last = script;
      at += point.length;
    }
    if (last != none) emit(piece, start, piece.text.size(), sink);
  }

 private:
  static int script_of(char32_t c, int any) {
    constexpr char32_t prolonged_sound_mark = 0x30FC;
    if (c == prolonged_sound_mark) return USCRIPT_HAN;
    if (c == ' ') return any;
    // The scripts are those of Unicode 9; later characters have none.
    constexpr std::uint8_t unicode_version = 9;
    UVersionInfo age = {};
    u_charAge(static_cast<UChar32>(c), age);
    if (age[0] == 0 || age[0] > unicode_version) return any;
    UErrorCode status = U_ZERO_ERROR;
    const int script = uscript_getScript(static_cast<UChar32>(c), &status);
    if (U_FAILURE(status) != 0 || script == USCRIPT_UNKNOWN) return any;
    return script == USCRIPT_HIRAGANA || script == USCRIPT_KATAKANA ? USCRIPT_HAN : script;
  }
  static void emit(const Piece& piece, std::size_t start, std::size_t stop, PieceSink& sink) {
    sink.emit(piece.text.substr(start, stop - start), piece.at_start && start == 0);
  }
};

using Made = std::unique_ptr<PreTokenizer>;

template <typename Plain>
Made load_plain(const JsonField& /*field*/) {
  return std::make_unique<Plain>();
}

Made load_punctuation(const JsonField& field) {
  const auto behavior = field.find("behavior");
  return std::make_unique<Punctuation>(behavior ? load_delimiters(*behavior)
                                                : Delimiters::isolated);
}

Made load_digits(const JsonField& field) {
  return std::make_unique<Digits>(field.flag("individual_digits", false));
}

Made load_char_delimiter(const JsonField& field) {
  return std::make_unique<CharDelimiterSplit>(field.at("delimiter").character());
}

Made load_split(const JsonField& field) {
  return std::make_unique<PatternSplit>(field.at("pattern"), load_delimiters(field.at("behavior")),
                                        field.flag("invert", false));
}

Made load_fixed_length(const JsonField& field) {
  constexpr std::int64_t usual = 5;
  constexpr std::int64_t longest = std::int64_t{1} << 32U;
  const auto length = field.find("length");
  return std::make_unique<FixedLength>(length ? length->integer(1, longest) : usual);
}

constexpr std::array<std::pair<std::string_view, Made (*)(const JsonField&)>, 10> loaders = {{
    {"ByteLevel", load_byte_level},
    {"CharDelimiterSplit", load_char_delimiter},
    {"Digits", load_digits},
    {"FixedLength", load_fixed_length},
    {"Metaspace", load_metaspace},
    {"Punctuation", load_punctuation},
    {"Split", load_split},
    {"UnicodeScripts", load_plain<UnicodeScripts>},
    {"Whitespace", load_plain<Whitespace>},
    {"WhitespaceSplit", load_plain<WhitespaceSplit>},
}};

}  // namespace

void load_pretokenizers(const JsonField& field, PreTokenizers& steps) {
  const JsonField type = field.at("type");
  const std::string& name = type.string();
  if (name == "Sequence") {
    const JsonField list = field.at("pretokenizers");
    list.check_depth();
    for (std::size_t i = 0; i < list.array().size(); ++i)
      load_pretokenizers(list.element(i), steps);
    return;
  }
  if (name == "BertPreTokenizer") {
    steps.push_back(std::make_unique<WhitespaceSplit>());
    steps.push_back(std::make_unique<Punctuation>(Delimiters::isolated));
    return;
  }
  std::string known = "BertPreTokenizer, Sequence";
  for (const auto& [loader_name, load] : loaders) {
    if (name == loader_name) {
      steps.push_back(load(field));
      return;
    }
    known += ", " + std::string(loader_name);
  }
  type.fail(ErrorKind::unsupported, "is a pre-tokeniser that Kobolt does not know", known);
}

}  // namespace kobolt::text
