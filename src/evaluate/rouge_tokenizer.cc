#include "evaluate/rouge_tokenizer.h"

#include <unicode/brkiter.h>
#include <unicode/locid.h>
#include <unicode/normalizer2.h>
#include <unicode/uchar.h>
#include <unicode/unistr.h>

#include <algorithm>
#include <utility>

#include "evaluate/porter_stemmer.h"
#include "kobolt/error.h"

namespace kobolt {
namespace {

bool is_ascii_token_char(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }

bool is_letter_or_digit(UChar32 code) {
  constexpr std::uint32_t kWanted = U_GC_L_MASK | U_GC_N_MASK;
  return (U_GET_GC_MASK(code) & kWanted) != 0;
}

void check(UErrorCode status) {
  if (U_SUCCESS(status)) return;
  throw Error(ErrorKind::unsupported, "ICU cannot cut text into words",
              {.found = u_errorName(status), .hint = "install ICU with its full data"});
}

}  // namespace

class RougeTokenizer::Segmenter {
 public:
  explicit Segmenter(bool characters) : characters_(characters) {
    UErrorCode status = U_ZERO_ERROR;
    nfc_ = icu::Normalizer2::getNFCInstance(status);
    const icu::Locale& root = icu::Locale::getRoot();
    breaks_.reset(characters ? icu::BreakIterator::createCharacterInstance(root, status)
                             : icu::BreakIterator::createWordInstance(root, status));
    check(status);
  }

  // Calls `visit(token)` for each token of `text`.
  template <typename Visit>
  void for_each(std::string_view text, Visit visit) {
    const icu::UnicodeString folded = normalized(text);
    breaks_->setText(folded);
    std::int32_t start = breaks_->first();
    for (std::int32_t end = breaks_->next(); end != icu::BreakIterator::DONE;
         start = end, end = breaks_->next()) {
      if (!is_token(folded, start, end)) continue;
      std::string token;
      without_ignorables(folded, start, end).toUTF8String(token);
      visit(std::move(token));
    }
  }

 private:
  icu::UnicodeString normalized(std::string_view text) {
    UErrorCode status = U_ZERO_ERROR;
    icu::UnicodeString folded = nfc_->normalize(
        icu::UnicodeString::fromUTF8({text.data(), static_cast<std::int32_t>(text.size())}),
        status);
    folded.foldCase();
    folded.findAndReplace(icu::UnicodeString(u'\u2019'), icu::UnicodeString(u'\''));
    // Folding may leave pieces that compose.
    icu::UnicodeString composed = nfc_->normalize(folded, status);
    check(status);
    return composed;
  }

  [[nodiscard]] bool is_token(const icu::UnicodeString& text, std::int32_t start,
                              std::int32_t end) const {
    if (characters_) return is_letter_or_digit(text.char32At(start));
    for (std::int32_t i = start; i < end; i = text.moveIndex32(i, 1)) {
      if (is_letter_or_digit(text.char32At(i))) return true;
    }
    return false;
  }

  static icu::UnicodeString without_ignorables(const icu::UnicodeString& text, std::int32_t start,
                                               std::int32_t end) {
    icu::UnicodeString kept;
    for (std::int32_t i = start; i < end; i = text.moveIndex32(i, 1)) {
      const UChar32 code = text.char32At(i);
      if (!u_hasBinaryProperty(code, UCHAR_DEFAULT_IGNORABLE_CODE_POINT)) kept.append(code);
    }
    return kept;
  }

  bool characters_;
  const icu::Normalizer2* nfc_ = nullptr;  // ICU's own, never deleted
  std::unique_ptr<icu::BreakIterator> breaks_;
};

RougeTokenizer::RougeTokenizer(RougeTokens tokens, bool stemmer) : stemmer_(stemmer) {
  if (tokens != RougeTokens::ascii) {
    segmenter_ = std::make_unique<Segmenter>(tokens == RougeTokens::character);
  }
}

RougeTokenizer::~RougeTokenizer() = default;

void RougeTokenizer::tokenize(std::string_view text, std::vector<std::string>& tokens) {
  if (segmenter_ == nullptr) {
    tokenize_ascii(text, tokens);
  } else {
    segmenter_->for_each(text, [&](std::string token) { add(std::move(token), tokens); });
  }
}

void RougeTokenizer::add(std::string token, std::vector<std::string>& tokens) const {
  if (stemmer_ && token.size() > 3 &&
      std::all_of(token.begin(), token.end(), is_ascii_token_char)) {
    token = porter_stem(std::move(token));
  }
  if (!token.empty()) tokens.push_back(std::move(token));
}

void RougeTokenizer::tokenize_ascii(std::string_view text, std::vector<std::string>& tokens) const {
  constexpr std::string_view kKelvin = "\xE2\x84\xAA";  // lowers to k
  constexpr std::string_view kDottedI = "\xC4\xB0";     // lowers to i and a combining dot
  std::string token;
  const auto finish = [&] {
    if (!token.empty()) add(std::exchange(token, {}), tokens);
  };
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (is_ascii_token_char(c)) {
      token += c;
    } else if (c >= 'A' && c <= 'Z') {
      token += static_cast<char>(c - 'A' + 'a');
    } else if (text.substr(i, kKelvin.size()) == kKelvin) {
      token += 'k';
      i += kKelvin.size() - 1;
    } else if (text.substr(i, kDottedI.size()) == kDottedI) {
      token += 'i';
      finish();
      i += kDottedI.size() - 1;
    } else {
      finish();
    }
  }
  finish();
}

}  // namespace kobolt
