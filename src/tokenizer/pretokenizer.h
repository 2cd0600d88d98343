#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "tokenizer/json_field.h"
#include "tokenizer/text_arena.h"

namespace kobolt::text {

/// A stretch of text between cuts, or an added token that has its id already.
struct Piece {
  std::string_view text;
  std::int32_t id = -1;   ///< >= 0: an added token, not to be cut further
  bool at_start = false;  ///< begins where the original text begins
};

struct Stretch;

/// Where pre-tokenisers put the pieces that they cut, and memory for the work.
class PieceSink {
 public:
  PieceSink(std::vector<Piece>& pieces, TextArena& arena, std::vector<Stretch>& stretches)
      : pieces_(&pieces), arena_(&arena), stretches_(&stretches) {}

  /// Empty pieces are dropped.
  void emit(std::string_view text, bool at_start) {
    if (!text.empty()) pieces_->push_back({text, -1, at_start});
  }
  [[nodiscard]] TextArena& arena() const { return *arena_; }
  /// For split() to use as it likes.
  [[nodiscard]] std::vector<Stretch>& stretches() const { return *stretches_; }

 private:
  std::vector<Piece>* pieces_;
  TextArena* arena_;
  std::vector<Stretch>* stretches_;
};

/// Cuts text into the pieces that the model sees one at a time. Thread-safe.
class PreTokenizer {
 public:
  PreTokenizer() = default;
  PreTokenizer(const PreTokenizer&) = delete;
  PreTokenizer& operator=(const PreTokenizer&) = delete;
  virtual ~PreTokenizer() = default;

  virtual void split(const Piece& piece, PieceSink& sink) const = 0;
};

/// Pre-tokenisers that run one after the other over all pieces.
using PreTokenizers = std::vector<std::unique_ptr<PreTokenizer>>;

/// Appends to `steps` the steps that a tokenizer.json describes, Sequences flattened.
/// Throws Error(unsupported) naming a type that Kobolt does not know.
void load_pretokenizers(const JsonField& field, PreTokenizers& steps);

}  // namespace kobolt::text
