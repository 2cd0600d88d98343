#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "tokenizer/json_field.h"
#include "tokenizer/pretokenizer.h"
#include "tokenizer/unicode.h"

namespace kobolt::text {

/// What becomes of the delimiters that a text is split at.
enum class Delimiters : std::uint8_t {
  removed,
  isolated,              ///< each is a piece
  merged_with_previous,  ///< "a-b" gives "a-", "b"
  merged_with_next,      ///< "a-b" gives "a", "-b"
  contiguous,            ///< neighbouring delimiters are one piece
};
/// Reads the name that tokenizer.json uses. Throws Error(unsupported).
Delimiters load_delimiters(const JsonField& field);

/// A stretch of text, delimiter or what is between.
struct Stretch {
  std::size_t start;
  std::size_t stop;
  bool delimiter;
};

/// Emits the pieces of `piece`, whose stretches follow each other and cover it.
void emit_stretches(const Piece& piece, const std::vector<Stretch>& stretches,
                    Delimiters delimiters, PieceSink& sink);

/// Splits at each code point for which `is_delimiter` holds.
template <typename IsDelimiter>
void split_at(const Piece& piece, Delimiters delimiters, PieceSink& sink,
              IsDelimiter&& is_delimiter) {
  std::vector<Stretch>& stretches = sink.stretches();
  stretches.clear();
  std::size_t covered = 0;
  for (std::size_t at = 0; at < piece.text.size();) {
    const CodePoint point = decode_at(piece.text, at);
    if (is_delimiter(point.value)) {
      if (covered < at) stretches.push_back({covered, at, false});
      covered = at + point.length;
      stretches.push_back({at, covered, true});
    }
    at += point.length;
  }
  if (covered < piece.text.size()) stretches.push_back({covered, piece.text.size(), false});
  emit_stretches(piece, stretches, delimiters, sink);
}

}  // namespace kobolt::text
