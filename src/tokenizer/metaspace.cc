#include "tokenizer/metaspace.h"

#include <algorithm>
#include <cstring>

#include "tokenizer/unicode.h"

namespace kobolt::text {
namespace {

/// Makes spaces visible and starts a piece at each of them.
class Metaspace final : public PreTokenizer {
 public:
  explicit Metaspace(MetaspaceSettings settings) : settings_(std::move(settings)) {}

  void split(const Piece& piece, PieceSink& sink) const override {
    const std::string_view text = marked(piece, sink.arena());
    if (!settings_.split) {
      sink.emit(text, piece.at_start);
      return;
    }
    const std::string_view mark = settings_.replacement;
    std::size_t start = 0;
    std::size_t at = text.find(mark, 1);
    while (at != std::string_view::npos) {
      sink.emit(text.substr(start, at - start), piece.at_start && start == 0);
      start = at;
      at = text.find(mark, start + mark.size());
    }
    sink.emit(text.substr(start), piece.at_start && start == 0);
  }

 private:
  // The text with the replacement for each space, and one in front where the scheme says so.
  [[nodiscard]] std::string_view marked(const Piece& piece, TextArena& arena) const {
    const std::string_view mark = settings_.replacement;
    const bool prepend = wants_prefix(piece);
    const auto spaces =
        static_cast<std::size_t>(std::count(piece.text.begin(), piece.text.end(), ' '));
    if (spaces == 0 && !prepend) return piece.text;
    const std::size_t size =
        piece.text.size() + spaces * (mark.size() - 1) + (prepend ? mark.size() : 0);
    char* const begin = arena.allocate(size);
    char* out = begin;
    const auto put = [&](std::string_view part) {
      std::memcpy(out, part.data(), part.size());
      out += part.size();
    };
    if (prepend) put(mark);
    std::string_view rest = piece.text;
    for (std::size_t space = rest.find(' '); space != std::string_view::npos;
         space = rest.find(' ')) {
      put(rest.substr(0, space));
      put(mark);
      rest.remove_prefix(space + 1);
    }
    if (!rest.empty()) put(rest);
    return {begin, size};
  }

  [[nodiscard]] bool wants_prefix(const Piece& piece) const {
    if (settings_.prepend == MetaspaceSettings::Prepend::never) return false;
    if (settings_.prepend == MetaspaceSettings::Prepend::first && !piece.at_start) return false;
    return !piece.text.starts_with(' ') && !piece.text.starts_with(settings_.replacement);
  }

  MetaspaceSettings settings_;
};

}  // namespace

MetaspaceSettings::MetaspaceSettings(const JsonField& field) {
  append_utf8(replacement, field.at("replacement").character());
  split = field.flag("split", true);
  const auto scheme = field.find("prepend_scheme");
  if (scheme) {
    if (scheme->string() == "always") {
      prepend = Prepend::always;
    } else if (scheme->string() == "first") {
      prepend = Prepend::first;
    } else if (scheme->string() == "never") {
      prepend = Prepend::never;
    } else {
      scheme->fail(ErrorKind::unsupported, "is unknown", "always, first or never");
    }
  }
  // Files from before prepend_scheme say it with a flag.
  const auto legacy = field.find("add_prefix_space");
  if (legacy && !legacy->boolean()) {
    if (scheme && prepend != Prepend::never) {
      legacy->fail(ErrorKind::corrupt, "contradicts prepend_scheme");
    }
    prepend = Prepend::never;
  }
}

std::unique_ptr<PreTokenizer> load_metaspace(const JsonField& field) {
  return std::make_unique<Metaspace>(MetaspaceSettings(field));
}

}  // namespace kobolt::text
