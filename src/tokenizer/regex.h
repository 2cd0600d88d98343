#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "tokenizer/json_field.h"

namespace kobolt::text {

/// A regular expression of a tokenizer.json: Oniguruma's dialect, run by PCRE2 with limits, so
/// that a hostile one ends in an Error. Thread-safe.
class Regex {
 public:
  /// Throws Error(corrupt) when `pattern`, the value of `where`, does not compile, and
  /// Error(unsupported) for what PCRE2 cannot express.
  Regex(std::string_view pattern, const JsonField& where);
  Regex(const Regex&) = delete;
  Regex& operator=(const Regex&) = delete;
  ~Regex();

  /// Calls `visit(start, stop)` for each match from left to right. An empty match right after
  /// another match does not count. Throws Error(invalid_argument) when matching takes too long.
  void for_each_match(std::string_view text,
                      const std::function<void(std::size_t, std::size_t)>& visit) const;

 private:
  struct Compiled;
  std::unique_ptr<Compiled> compiled_;
  std::string file_;
  std::string path_;
};

/// A literal text or a regular expression: the `pattern` of Split and Replace.
class Pattern {
 public:
  explicit Pattern(const JsonField& field);
  void for_each_match(std::string_view text,
                      const std::function<void(std::size_t, std::size_t)>& visit) const;

 private:
  std::string literal_;
  std::unique_ptr<Regex> regex_;
};

}  // namespace kobolt::text
