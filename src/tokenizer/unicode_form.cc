#include "tokenizer/unicode_form.h"

#include <unicode/bytestream.h>
#include <unicode/normalizer2.h>
#include <unicode/uniset.h>

#include <cstring>
#include <limits>

#include "kobolt/error.h"

namespace kobolt::text {
namespace {

[[noreturn]] void no_data(UErrorCode status) {
  throw Error(ErrorKind::not_found, "ICU's Unicode data cannot be loaded",
              {.found = u_errorName(status), .hint = "reinstall libicu"});
}

const icu::Normalizer2& instance(UnicodeForm form) {
  UErrorCode status = U_ZERO_ERROR;
  const icu::Normalizer2* result = nullptr;
  switch (form) {
    case UnicodeForm::nfc:
      result = icu::Normalizer2::getNFCInstance(status);
      break;
    case UnicodeForm::nfd:
      result = icu::Normalizer2::getNFDInstance(status);
      break;
    case UnicodeForm::nfkc:
      result = icu::Normalizer2::getNFKCInstance(status);
      break;
    case UnicodeForm::nfkd:
      result = icu::Normalizer2::getNFKDInstance(status);
      break;
  }
  if (U_FAILURE(status) != 0 || result == nullptr) no_data(status);
  return *result;
}

// Hugging Face normalises as Unicode 11 does: what came later stays as it is.
const icu::UnicodeSet& normalized_characters() {
  static const icu::UnicodeSet set = [] {
    UErrorCode status = U_ZERO_ERROR;
    icu::UnicodeSet result(icu::UnicodeString("[:age=11.0:]"), status);
    if (U_FAILURE(status) != 0) no_data(status);
    result.freeze();
    return result;
  }();
  return set;
}

// Length of a prefix that ICU need not look at: ASCII and, for the composed forms, Hangul
// syllables (U+AC00..U+D7A3). The last character before the rest stays with the rest, because
// what follows may combine with it.
std::size_t plain_prefix(UnicodeForm form, std::string_view utf8) {
  const bool composed = form == UnicodeForm::nfc || form == UnicodeForm::nfkc;
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(utf8[i]); };
  std::size_t at = 0;
  std::size_t last = 0;
  while (at < utf8.size()) {
    std::uint64_t block = 0;
    while (at + sizeof(block) <= utf8.size()) {
      std::memcpy(&block, utf8.data() + at, sizeof(block));
      if ((block & 0x8080808080808080U) != 0) break;
      at += sizeof(block);
      last = at - 1;
    }
    if (at == utf8.size()) return at;
    if (byte(at) < 0x80) {
      last = at++;
      continue;
    }
    // EA B0 80 to ED 9E A3
    if (!composed || byte(at) < 0xEA || byte(at) > 0xED) return last;
    const unsigned second = byte(at + 1);
    const bool hangul =
        (byte(at) == 0xEA && second >= 0xB0) || byte(at) == 0xEB || byte(at) == 0xEC ||
        (byte(at) == 0xED && (second < 0x9E || (second == 0x9E && byte(at + 2) <= 0xA3)));
    if (!hangul) return last;
    last = at;
    at += 3;
  }
  return at;
}

}  // namespace

bool to_form(UnicodeForm form, std::string_view utf8, std::string& out) {
  const std::size_t plain = plain_prefix(form, utf8);
  if (plain == utf8.size()) return false;
  if (utf8.size() > static_cast<std::size_t>(std::numeric_limits<std::int32_t>::max())) {
    throw Error(ErrorKind::invalid_argument, "the text is too long to be normalised",
                {.found = std::to_string(utf8.size()) + " bytes"});
  }
  const icu::Normalizer2& normalizer = instance(form);
  const std::string_view rest = utf8.substr(plain);
  const icu::StringPiece piece(rest.data(), static_cast<std::int32_t>(rest.size()));
  UErrorCode status = U_ZERO_ERROR;
  if (normalizer.isNormalizedUTF8(piece, status) != 0) return false;
  std::string normalized(utf8.substr(0, plain));
  icu::StringByteSink<std::string> sink(&normalized, static_cast<std::int32_t>(rest.size()));
  icu::FilteredNormalizer2(normalizer, normalized_characters())
      .normalizeUTF8(0, piece, sink, nullptr, status);
  if (U_FAILURE(status) != 0) {
    throw Error(ErrorKind::invalid_argument, "the text cannot be normalised",
                {.found = u_errorName(status)});
  }
  out = std::move(normalized);
  return true;
}

}  // namespace kobolt::text
