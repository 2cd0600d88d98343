#include "tokenizer/normalizer.h"

#include <array>
#include <cstdint>
#include <utility>
#include <vector>

#include "tokenizer/byte_alphabet.h"
#include "tokenizer/precompiled_charsmap.h"
#include "tokenizer/regex.h"
#include "tokenizer/unicode.h"
#include "tokenizer/unicode_form.h"

namespace kobolt::text {
namespace {

// Rebuilds the text from its code points. `change(code point, out)` appends what the code point
// becomes; whether the start survives is for the caller to say.
template <typename Change>
void rewrite(NormalizedText& text, Change&& change) {
  std::string out;
  out.reserve(text.view().size() + text.view().size() / 8);
  for_each_code_point(text.view(), [&](char32_t c, std::string_view) { change(c, out); });
  text.replace(std::move(out));
}

template <typename Keep>
void filter(NormalizedText& text, Keep&& keep) {
  if (text.view().empty()) return;
  if (!keep(decode_at(text.view(), 0).value)) text.lose_start();
  rewrite(text, [&](char32_t c, std::string& out) {
    if (keep(c)) append_utf8(out, c);
  });
}

class NormalizerSequence final : public Normalizer {
 public:
  explicit NormalizerSequence(std::vector<std::unique_ptr<Normalizer>> steps)
      : steps_(std::move(steps)) {}
  void apply(NormalizedText& text) const override {
    for (const auto& step : steps_) step->apply(text);
  }

 private:
  std::vector<std::unique_ptr<Normalizer>> steps_;
};

class FormNormalizer final : public Normalizer {
 public:
  explicit FormNormalizer(UnicodeForm form) : form_(form) {}
  void apply(NormalizedText& text) const override {
    std::string out;
    if (to_form(form_, text.view(), out)) text.replace(std::move(out));
  }

 private:
  UnicodeForm form_;
};

void lower(NormalizedText& text) {
  rewrite(text, [](char32_t c, std::string& out) { append_lower(out, c); });
}

class LowercaseNormalizer final : public Normalizer {
 public:
  void apply(NormalizedText& text) const override { lower(text); }
};

class StripNormalizer final : public Normalizer {
 public:
  StripNormalizer(bool left, bool right) : left_(left), right_(right) {}
  void apply(NormalizedText& text) const override {
    std::string_view view = text.view();
    while (left_ && !view.empty()) {
      const CodePoint first = decode_at(view, 0);
      if (!is_whitespace(first.value)) break;
      text.lose_start();
      view.remove_prefix(first.length);
    }
    while (right_ && !view.empty()) {
      const std::size_t last = previous(view, view.size());
      if (!is_whitespace(decode_at(view, last).value)) break;
      view = view.substr(0, last);
    }
    text.narrow(view);
  }

 private:
  bool left_;
  bool right_;
};

class StripAccentsNormalizer final : public Normalizer {
 public:
  void apply(NormalizedText& text) const override {
    filter(text, [](char32_t c) { return !is_mark(c); });
  }
};

class PrependNormalizer final : public Normalizer {
 public:
  explicit PrependNormalizer(std::string prefix) : prefix_(std::move(prefix)) {}
  void apply(NormalizedText& text) const override {
    if (!text.view().empty()) text.replace(prefix_ + std::string(text.view()));
  }

 private:
  std::string prefix_;
};

class BertNormalizer final : public Normalizer {
 public:
  BertNormalizer(bool clean, bool chinese, bool accents, bool lowercase)
      : clean_(clean), chinese_(chinese), accents_(accents), lowercase_(lowercase) {}

  void apply(NormalizedText& text) const override {
    if (clean_) clean(text);
    if (chinese_) {
      rewrite(text, [](char32_t c, std::string& out) {
        const bool apart = is_cjk_ideograph(c);
        if (apart) out.push_back(' ');
        append_utf8(out, c);
        if (apart) out.push_back(' ');
      });
    }
    if (accents_) {
      std::string out;
      if (to_form(UnicodeForm::nfd, text.view(), out)) text.replace(std::move(out));
      filter(text, [](char32_t c) { return !is_nonspacing_mark(c); });
    }
    if (lowercase_) lower(text);
  }

 private:
  static bool dropped(char32_t c) {
    if (c == '\t' || c == '\n' || c == '\r') return false;
    return c == 0 || c == 0xFFFD || is_control(c);
  }
  static void clean(NormalizedText& text) {
    if (text.view().empty()) return;
    if (dropped(decode_at(text.view(), 0).value)) text.lose_start();
    rewrite(text, [](char32_t c, std::string& out) {
      if (!dropped(c)) append_utf8(out, is_whitespace(c) ? U' ' : c);
    });
  }

  bool clean_;
  bool chinese_;
  bool accents_;
  bool lowercase_;
};

// The clean-up that SentencePiece's "nmt" rules do.
class NmtNormalizer final : public Normalizer {
 public:
  void apply(NormalizedText& text) const override {
    if (text.view().empty()) return;
    if (dropped(decode_at(text.view(), 0).value)) text.lose_start();
    rewrite(text, [](char32_t c, std::string& out) {
      if (!dropped(c)) append_utf8(out, is_space(c) ? U' ' : c);
    });
  }

 private:
  static bool dropped(char32_t c) {
    return (c >= 0x1 && c <= 0x8) || c == 0xB || (c >= 0xE && c <= 0x1F) || c == 0x7F ||
           c == 0x8F || c == 0x9F;
  }
  static bool is_space(char32_t c) {
    return c == 0x9 || c == 0xA || c == 0xC || c == 0xD || c == 0x1680 ||
           (c >= 0x200B && c <= 0x200F) || c == 0x2028 || c == 0x2029 || c == 0x2581 ||
           c == 0xFEFF || c == 0xFFFD;
  }
};

class ReplaceNormalizer final : public Normalizer {
 public:
  ReplaceNormalizer(const JsonField& pattern, std::string content)
      : pattern_(pattern), content_(std::move(content)) {}
  void apply(NormalizedText& text) const override {
    const std::string_view view = text.view();
    if (view.empty()) return;
    std::string out;
    std::size_t covered = 0;
    bool changed = false;
    pattern_.for_each_match(view, [&](std::size_t start, std::size_t stop) {
      // One character in place of the first one still begins where the text does.
      const bool one = stop > 0 && decode_at(view, 0).length == stop;
      if (start == 0 && stop > 0 && (!one || content_.empty())) text.lose_start();
      out.append(view.substr(covered, start - covered)).append(content_);
      check_growth(view.size(), out.size());
      covered = stop;
      changed = true;
    });
    if (!changed) return;
    out.append(view.substr(covered));
    text.replace(std::move(out));
  }

 private:
  Pattern pattern_;
  std::string content_;
};

class ByteLevelNormalizer final : public Normalizer {
 public:
  void apply(NormalizedText& text) const override {
    std::string out;
    append_byte_alphabet(out, text.view());
    text.replace(std::move(out));
  }
};

std::unique_ptr<Normalizer> load_sequence(const JsonField& field) {
  const JsonField list = field.at("normalizers");
  list.check_depth();
  std::vector<std::unique_ptr<Normalizer>> steps;
  for (std::size_t i = 0; i < list.array().size(); ++i) {
    if (auto step = load_normalizer(list.element(i))) steps.push_back(std::move(step));
  }
  if (steps.empty()) return nullptr;
  if (steps.size() == 1) return std::move(steps.front());
  return std::make_unique<NormalizerSequence>(std::move(steps));
}

std::unique_ptr<Normalizer> load_bert(const JsonField& field) {
  const bool lowercase = field.flag("lowercase", true);
  const bool clean = field.flag("clean_text", true);
  const bool chinese = field.flag("handle_chinese_chars", true);
  const bool accents = field.flag("strip_accents", lowercase);
  if (!clean && !chinese && !accents && !lowercase) return nullptr;
  return std::make_unique<BertNormalizer>(clean, chinese, accents, lowercase);
}

using Load = std::unique_ptr<Normalizer> (*)(const JsonField&);

template <UnicodeForm form>
std::unique_ptr<Normalizer> load_form(const JsonField& /*field*/) {
  return std::make_unique<FormNormalizer>(form);
}

template <typename Plain>
std::unique_ptr<Normalizer> load_plain(const JsonField& /*field*/) {
  return std::make_unique<Plain>();
}

std::unique_ptr<Normalizer> load_strip(const JsonField& field) {
  return std::make_unique<StripNormalizer>(field.flag("strip_left", true),
                                           field.flag("strip_right", true));
}

std::unique_ptr<Normalizer> load_prepend(const JsonField& field) {
  return std::make_unique<PrependNormalizer>(field.at("prepend").string());
}

std::unique_ptr<Normalizer> load_replace(const JsonField& field) {
  return std::make_unique<ReplaceNormalizer>(field.at("pattern"), field.at("content").string());
}

constexpr std::array<std::pair<std::string_view, Load>, 14> loaders = {{
    {"BertNormalizer", load_bert},
    {"ByteLevel", load_plain<ByteLevelNormalizer>},
    {"Lowercase", load_plain<LowercaseNormalizer>},
    {"NFC", load_form<UnicodeForm::nfc>},
    {"NFD", load_form<UnicodeForm::nfd>},
    {"NFKC", load_form<UnicodeForm::nfkc>},
    {"NFKD", load_form<UnicodeForm::nfkd>},
    {"Nmt", load_plain<NmtNormalizer>},
    {"Precompiled", load_precompiled_charsmap},
    {"Prepend", load_prepend},
    {"Replace", load_replace},
    {"Sequence", load_sequence},
    {"Strip", load_strip},
    {"StripAccents", load_plain<StripAccentsNormalizer>},
}};

}  // namespace

std::unique_ptr<Normalizer> load_normalizer(const JsonField& field) {
  const JsonField type = field.at("type");
  std::string known;
  for (const auto& [name, load] : loaders) {
    if (type.string() == name) return load(field);
    known += (known.empty() ? "" : ", ") + std::string(name);
  }
  type.fail(ErrorKind::unsupported, "is a normaliser that Kobolt does not know", known);
}

}  // namespace kobolt::text
