#include "tokenizer/decoder.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>
#include <utility>

#include "tokenizer/byte_alphabet.h"
#include "tokenizer/growth.h"
#include "tokenizer/metaspace.h"
#include "tokenizer/regex.h"
#include "tokenizer/replace_all.h"
#include "tokenizer/unicode.h"

namespace kobolt::text {
namespace {

// Spaces that tokenising put into English text, in the order in which they are taken out.
constexpr std::array<std::pair<std::string_view, std::string_view>, 10> spaces_before_signs = {{
    {" .", "."},
    {" ?", "?"},
    {" !", "!"},
    {" ,", ","},
    {" ' ", "'"},
    {" n't", "n't"},
    {" 'm", "'m"},
    {" 's", "'s"},
    {" 've", "'ve"},
    {" 're", "'re"},
}};

// The decoders of `tokenizers` have one rule more than transformers, after "'m".
void clean_up(std::string& text) {
  for (const auto& [from, to] : spaces_before_signs) {
    replace_all(text, from, to);
    if (from == " 'm") replace_all(text, " do not", " don't");
  }
}

class BpeDecoder final : public TokenDecoder {
 public:
  explicit BpeDecoder(std::string suffix) : suffix_(std::move(suffix)) {}
  void decode(std::vector<std::string>& tokens) const override {
    for (std::size_t i = 0; i < tokens.size(); ++i) {
      replace_all(tokens[i], suffix_, i + 1 == tokens.size() ? "" : " ");
    }
  }

 private:
  std::string suffix_;
};

class ByteLevelDecoder final : public TokenDecoder {
 public:
  void decode(std::vector<std::string>& tokens) const override {
    std::string bytes;
    for (const std::string& token : tokens) {
      const std::size_t before = bytes.size();
      for (std::size_t at = 0; at < token.size();) {
        const CodePoint point = decode_at(token, at);
        const auto byte = byte_of_character(point.value);
        if (!byte) {  // no byte-level token: taken as it is
          bytes.resize(before);
          bytes += token;
          break;
        }
        bytes.push_back(static_cast<char>(*byte));
        at += point.length;
      }
    }
    std::string storage;
    tokens.assign(1, std::string(repaired_utf8(bytes, storage)));
  }
};

class MetaspaceDecoder final : public TokenDecoder {
 public:
  explicit MetaspaceDecoder(MetaspaceSettings settings) : settings_(std::move(settings)) {}
  void decode(std::vector<std::string>& tokens) const override {
    bool first = settings_.prepend != MetaspaceSettings::Prepend::never;
    for (std::string& token : tokens) {
      replace_all(token, settings_.replacement, first ? "" : " ");
      first = false;
    }
  }

 private:
  MetaspaceSettings settings_;
};

class WordPieceDecoder final : public TokenDecoder {
 public:
  WordPieceDecoder(std::string prefix, bool cleanup)
      : prefix_(std::move(prefix)), cleanup_(cleanup) {}
  void decode(std::vector<std::string>& tokens) const override {
    bool first = true;
    for (std::string& token : tokens) {
      if (!first) {
        if (token.starts_with(prefix_)) {
          token.erase(0, prefix_.size());
        } else {
          std::string spaced(1, ' ');
          spaced += token;
          token = std::move(spaced);
        }
      }
      if (cleanup_) clean_up(token);
      first = false;
    }
  }

 private:
  std::string prefix_;
  bool cleanup_;
};

class ByteFallbackDecoder final : public TokenDecoder {
 public:
  void decode(std::vector<std::string>& tokens) const override {
    std::vector<std::string> result;
    std::string bytes;
    const auto flush = [&] {
      if (bytes.empty()) return;
      if (valid_prefix(bytes) == bytes.size()) {
        result.push_back(bytes);
      } else {
        result.insert(result.end(), bytes.size(), "\xEF\xBF\xBD");
      }
      bytes.clear();
    };
    for (std::string& token : tokens) {
      if (const auto byte = byte_of(token)) {
        bytes.push_back(*byte);
      } else {
        flush();
        result.push_back(std::move(token));
      }
    }
    flush();
    tokens = std::move(result);
  }

 private:
  static std::optional<char> byte_of(std::string_view token) {
    if (token.size() != 6 || !token.starts_with("<0x") || token[5] != '>') return std::nullopt;
    int value = 0;
    for (const char c : token.substr(3, 2)) {
      value *= 16;
      if (c >= '0' && c <= '9') {
        value += c - '0';
      } else if (c >= 'a' && c <= 'f') {
        value += c - 'a' + 10;
      } else if (c >= 'A' && c <= 'F') {
        value += c - 'A' + 10;
      } else {
        return std::nullopt;
      }
    }
    return static_cast<char>(value);
  }
};

class FuseDecoder final : public TokenDecoder {
 public:
  void decode(std::vector<std::string>& tokens) const override {
    std::string whole;
    for (const std::string& token : tokens) whole += token;
    tokens.clear();
    tokens.push_back(std::move(whole));
  }
};

/// Takes a character off both ends of each token, a limited number of times.
class StripDecoder final : public TokenDecoder {
 public:
  StripDecoder(char32_t content, std::int64_t start, std::int64_t stop)
      : start_(start), stop_(stop) {
    append_utf8(content_, content);
  }
  void decode(std::vector<std::string>& tokens) const override {
    for (std::string& token : tokens) {
      std::string_view text = token;
      for (std::int64_t i = 0; i < start_ && text.starts_with(content_); ++i) {
        text.remove_prefix(content_.size());
      }
      for (std::int64_t i = 0; i < stop_ && text.ends_with(content_); ++i) {
        text.remove_suffix(content_.size());
      }
      token = std::string(text);
    }
  }

 private:
  std::string content_;
  std::int64_t start_;
  std::int64_t stop_;
};

/// Connectionist temporal classification: repetitions and padding mean nothing.
class CtcDecoder final : public TokenDecoder {
 public:
  CtcDecoder(std::string pad, std::string delimiter, bool cleanup)
      : pad_(std::move(pad)), delimiter_(std::move(delimiter)), cleanup_(cleanup) {}
  void decode(std::vector<std::string>& tokens) const override {
    tokens.erase(std::unique(tokens.begin(), tokens.end()), tokens.end());
    for (std::string& token : tokens) {
      replace_all(token, pad_, "");
      if (cleanup_) {
        clean_up(token);
        replace_all(token, delimiter_, " ");
      }
    }
    std::erase(tokens, std::string());
  }

 private:
  std::string pad_;
  std::string delimiter_;
  bool cleanup_;
};

class ReplaceDecoder final : public TokenDecoder {
 public:
  ReplaceDecoder(const JsonField& pattern, std::string content)
      : pattern_(pattern), content_(std::move(content)) {}
  void decode(std::vector<std::string>& tokens) const override {
    for (std::string& token : tokens) {
      if (token.empty()) continue;
      std::string storage;
      const std::string_view text = repaired_utf8(token, storage);
      std::string out;
      std::size_t covered = 0;
      pattern_.for_each_match(text, [&](std::size_t start, std::size_t stop) {
        out.append(text.substr(covered, start - covered)).append(content_);
        check_growth(text.size(), out.size());
        covered = stop;
      });
      out.append(text.substr(covered));
      token = std::move(out);
    }
  }

 private:
  Pattern pattern_;
  std::string content_;
};

using Load = std::unique_ptr<TokenDecoder> (*)(const JsonField&);

template <typename Plain>
std::unique_ptr<TokenDecoder> load_plain(const JsonField& /*field*/) {
  return std::make_unique<Plain>();
}

std::unique_ptr<TokenDecoder> load_bpe_decoder(const JsonField& field) {
  return std::make_unique<BpeDecoder>(field.text("suffix", "</w>"));
}

std::unique_ptr<TokenDecoder> load_metaspace_decoder(const JsonField& field) {
  return std::make_unique<MetaspaceDecoder>(MetaspaceSettings(field));
}

std::unique_ptr<TokenDecoder> load_wordpiece_decoder(const JsonField& field) {
  return std::make_unique<WordPieceDecoder>(field.text("prefix", "##"),
                                            field.flag("cleanup", true));
}

std::unique_ptr<TokenDecoder> load_strip_decoder(const JsonField& field) {
  constexpr std::int64_t most = std::int64_t{1} << 32U;
  return std::make_unique<StripDecoder>(field.at("content").character(),
                                        field.at("start").integer(0, most),
                                        field.at("stop").integer(0, most));
}

std::unique_ptr<TokenDecoder> load_replace_decoder(const JsonField& field) {
  return std::make_unique<ReplaceDecoder>(field.at("pattern"), field.at("content").string());
}

std::unique_ptr<TokenDecoder> load_ctc_decoder(const JsonField& field) {
  return std::make_unique<CtcDecoder>(field.text("pad_token", "<pad>"),
                                      field.text("word_delimiter_token", "|"),
                                      field.flag("cleanup", true));
}

constexpr std::array<std::pair<std::string_view, Load>, 9> loaders = {{
    {"BPEDecoder", load_bpe_decoder},
    {"ByteFallback", load_plain<ByteFallbackDecoder>},
    {"ByteLevel", load_plain<ByteLevelDecoder>},
    {"CTC", load_ctc_decoder},
    {"Fuse", load_plain<FuseDecoder>},
    {"Metaspace", load_metaspace_decoder},
    {"Replace", load_replace_decoder},
    {"Strip", load_strip_decoder},
    {"WordPiece", load_wordpiece_decoder},
}};

class CleanUpDecoder final : public TokenDecoder {
 public:
  void decode(std::vector<std::string>& tokens) const override {
    std::string whole;
    for (const std::string& token : tokens) whole += token;
    for (const auto& [from, to] : spaces_before_signs) replace_all(whole, from, to);
    tokens.clear();
    tokens.push_back(std::move(whole));
  }
};

}  // namespace

std::unique_ptr<TokenDecoder> make_byte_level_decoder() {
  return std::make_unique<ByteLevelDecoder>();
}

std::unique_ptr<TokenDecoder> make_clean_up_decoder() { return std::make_unique<CleanUpDecoder>(); }

void load_decoders(const JsonField& field, TokenDecoders& steps) {
  const JsonField type = field.at("type");
  if (type.string() == "Sequence") {
    const JsonField list = field.at("decoders");
    list.check_depth();
    for (std::size_t i = 0; i < list.array().size(); ++i) load_decoders(list.element(i), steps);
    return;
  }
  std::string known = "Sequence";
  for (const auto& [name, load] : loaders) {
    if (type.string() == name) {
      steps.push_back(load(field));
      return;
    }
    known += ", " + std::string(name);
  }
  type.fail(ErrorKind::unsupported, "is a decoder that Kobolt does not know", known);
}

}  // namespace kobolt::text
