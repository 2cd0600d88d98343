#include "tokenizer/pattern_split.h"

#include <string>

namespace kobolt::text {
namespace {

// Whether a piece begins between two neighbouring stretches.
bool cut_between(const Stretch& left, const Stretch& right, Delimiters delimiters) {
  switch (delimiters) {
    case Delimiters::removed:
    case Delimiters::isolated:
      return true;
    case Delimiters::contiguous:
      return left.delimiter != right.delimiter;
    // A delimiter joins its neighbour only when that is none itself.
    case Delimiters::merged_with_previous:
      return left.delimiter || !right.delimiter;
    case Delimiters::merged_with_next:
      return !left.delimiter || right.delimiter;
  }
  return true;
}

}  // namespace

Delimiters load_delimiters(const JsonField& field) {
  const std::string& name = field.string();
  if (name == "Removed") return Delimiters::removed;
  if (name == "Isolated") return Delimiters::isolated;
  if (name == "MergedWithPrevious") return Delimiters::merged_with_previous;
  if (name == "MergedWithNext") return Delimiters::merged_with_next;
  if (name == "Contiguous") return Delimiters::contiguous;
  field.fail(ErrorKind::unsupported, "is unknown",
             "Removed, Isolated, MergedWithPrevious, MergedWithNext or Contiguous");
}

void emit_stretches(const Piece& piece, const std::vector<Stretch>& stretches,
                    Delimiters delimiters, PieceSink& sink) {
  std::size_t first = 0;  // of the piece that is growing
  for (std::size_t i = 0; i < stretches.size(); ++i) {
    const bool last = i + 1 == stretches.size();
    if (!last && !cut_between(stretches[i], stretches[i + 1], delimiters)) continue;
    if (delimiters != Delimiters::removed || !stretches[i].delimiter) {
      const std::size_t start = stretches[first].start;
      sink.emit(piece.text.substr(start, stretches[i].stop - start), piece.at_start && start == 0);
    }
    first = i + 1;
  }
}

}  // namespace kobolt::text
