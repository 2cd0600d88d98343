#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "kobolt/evaluate.h"

namespace kobolt {

/// Cuts text into the tokens that ROUGE compares. Invalid UTF-8 is read as U+FFFD, which is part
/// of no token. Not thread-safe; one a thread.
///
/// ascii: runs of [a-z0-9] after lowering, exactly rouge-score's, whose lowering turns U+212A into
/// k and U+0130 into i.
/// unicode: NFC and full case folding, U+2019 as an apostrophe, then the words of UAX #29 that
/// hold a letter or digit, without code points that are ignorable by default (soft hyphens,
/// joiners). Scripts without spaces are cut by ICU's dictionaries.
/// character: NFC and full case folding, then the grapheme clusters that start with a letter or
/// digit.
class RougeTokenizer {
 public:
  /// Throws Error(unsupported) when ICU lacks its data.
  RougeTokenizer(RougeTokens tokens, bool stemmer);
  ~RougeTokenizer();

  /// Appends the tokens of `text`.
  void tokenize(std::string_view text, std::vector<std::string>& tokens);

 private:
  class Segmenter;

  void add(std::string token, std::vector<std::string>& tokens) const;
  void tokenize_ascii(std::string_view text, std::vector<std::string>& tokens) const;

  bool stemmer_;
  std::unique_ptr<Segmenter> segmenter_;  // nullptr for ascii
};

}  // namespace kobolt
