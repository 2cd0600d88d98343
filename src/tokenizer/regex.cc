#include "tokenizer/regex.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <array>

#include "tokenizer/oniguruma.h"
#include "tokenizer/unicode.h"

namespace kobolt::text {
namespace {

// Enough for any sane pattern on any sane piece of text; a pattern that backtracks without end
// reaches it in well under a second.
constexpr std::uint32_t match_limit = 2'000'000;
constexpr std::uint32_t depth_limit = 50'000;
constexpr std::uint32_t heap_limit_kib = 64U << 10U;
constexpr std::uint32_t longest_pattern = 1U << 16U;

struct Free {
  void operator()(pcre2_code* code) const { pcre2_code_free(code); }
  void operator()(pcre2_match_data* data) const { pcre2_match_data_free(data); }
  void operator()(pcre2_match_context* context) const { pcre2_match_context_free(context); }
  void operator()(pcre2_compile_context* context) const { pcre2_compile_context_free(context); }
};
template <typename Object>
using Owned = std::unique_ptr<Object, Free>;

std::string message_of(int code) {
  std::array<PCRE2_UCHAR, 256> buffer{};
  pcre2_get_error_message(code, buffer.data(), buffer.size());
  return {buffer.begin(), std::find(buffer.begin(), buffer.end(), PCRE2_UCHAR{0})};
}

PCRE2_SPTR bytes_of(std::string_view text) { return reinterpret_cast<PCRE2_SPTR>(text.data()); }

}  // namespace

struct Regex::Compiled {
  Owned<pcre2_code> code;
  Owned<pcre2_match_context> context;
};

Regex::Regex(std::string_view pattern, const JsonField& where)
    : compiled_(std::make_unique<Compiled>()), file_(where.file()), path_(where.path()) {
  if (pattern.size() > longest_pattern) where.fail(ErrorKind::corrupt, "is too long a pattern");
  const std::string translated = oniguruma_to_pcre2(pattern, where);
  const Owned<pcre2_compile_context> compile_context(pcre2_compile_context_create(nullptr));
  compiled_->context.reset(pcre2_match_context_create(nullptr));
  if (!compile_context || !compiled_->context) throw std::bad_alloc();
  pcre2_set_newline(compile_context.get(), PCRE2_NEWLINE_LF);
  pcre2_set_match_limit(compiled_->context.get(), match_limit);
  pcre2_set_depth_limit(compiled_->context.get(), depth_limit);
  pcre2_set_heap_limit(compiled_->context.get(), heap_limit_kib);
  int error = 0;
  PCRE2_SIZE offset = 0;
  compiled_->code.reset(pcre2_compile(
      bytes_of(translated), translated.size(),
      PCRE2_UTF | PCRE2_UCP | PCRE2_MULTILINE | PCRE2_NEVER_BACKSLASH_C | PCRE2_NO_UTF_CHECK,
      &error, &offset, compile_context.get()));
  if (!compiled_->code) {
    where.fail(ErrorKind::corrupt, "is no regular expression: " + message_of(error));
  }
  // Without a compiler for this processor the interpreter does it.
  pcre2_jit_compile(compiled_->code.get(), PCRE2_JIT_COMPLETE);
}

Regex::~Regex() = default;

void Regex::for_each_match(std::string_view text,
                           const std::function<void(std::size_t, std::size_t)>& visit) const {
  const Owned<pcre2_match_data> data(
      pcre2_match_data_create_from_pattern(compiled_->code.get(), nullptr));
  if (!data) throw std::bad_alloc();
  std::size_t from = 0;
  std::size_t last_stop = std::string_view::npos;
  while (from <= text.size()) {
    const auto match = [&](std::uint32_t options) {
      return pcre2_match(compiled_->code.get(), bytes_of(text), text.size(), from,
                         options | PCRE2_NO_UTF_CHECK, data.get(), compiled_->context.get());
    };
    int result = match(0);
    if (result == PCRE2_ERROR_JIT_STACKLIMIT) result = match(PCRE2_NO_JIT);
    if (result == PCRE2_ERROR_NOMATCH) return;
    if (result < 0) {
      throw Error(ErrorKind::invalid_argument, "the regular expression fails on this text",
                  {.file = file_, .field = path_, .found = message_of(result)});
    }
    const PCRE2_SIZE* bounds = pcre2_get_ovector_pointer(data.get());
    // A look-behind with \K may turn the bounds round.
    const std::size_t start = std::min(bounds[0], bounds[1]);
    const std::size_t stop = std::max(bounds[0], bounds[1]);
    if (stop < from || (start == stop && stop == last_stop)) {
      if (from >= text.size()) return;
      from += decode_at(text, from).length;
      continue;
    }
    visit(std::max(start, last_stop == std::string_view::npos ? 0 : last_stop), stop);
    from = stop;
    last_stop = stop;
  }
}

Pattern::Pattern(const JsonField& field) {
  if (const auto literal = field.find("String")) {
    literal_ = literal->string();
    // An empty text matches everywhere, as the empty expression does.
    if (literal_.empty()) regex_ = std::make_unique<Regex>("", *literal);
  } else if (const auto regex = field.find("Regex")) {
    regex_ = std::make_unique<Regex>(regex->string(), *regex);
  } else {
    field.fail(ErrorKind::unsupported, "is a kind of pattern that Kobolt does not know",
               "String or Regex");
  }
}

void Pattern::for_each_match(std::string_view text,
                             const std::function<void(std::size_t, std::size_t)>& visit) const {
  if (regex_) {
    regex_->for_each_match(text, visit);
    return;
  }
  for (std::size_t at = text.find(literal_); at != std::string_view::npos;
       at = text.find(literal_, at + literal_.size())) {
    visit(at, at + literal_.size());
  }
}

}  // namespace kobolt::text
