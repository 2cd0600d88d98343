#include "tokenizer/pretokenizer.h"

#include <array>
#include <cstring>
#include <string>
#include <utility>

#include "tokenizer/metaspace.h"
#include "tokenizer/unicode.h"

namespace kobolt::text {
namespace {

class WhitespaceSplit final : public PreTokenizer {
 public:
  void split(const Piece& piece, PieceSink& sink) const override {
    std::size_t start = 0;
    for (std::size_t at = 0; at < piece.text.size();) {
      const CodePoint point = decode_at(piece.text, at);
      if (is_whitespace(point.value)) {
        sink.emit(piece.text.substr(start, at - start), piece.at_start && start == 0);
        start = at + point.length;
      }
      at += point.length;
    }
    sink.emit(piece.text.substr(start), piece.at_start && start == 0);
  }
};

using Load = std::unique_ptr<PreTokenizer> (*)(const JsonField&);

template <typename Plain>
std::unique_ptr<PreTokenizer> load_plain(const JsonField& /*field*/) {
  return std::make_unique<Plain>();
}

constexpr std::array<std::pair<std::string_view, Load>, 2> loaders = {{
    {"Metaspace", load_metaspace},
    {"WhitespaceSplit", load_plain<WhitespaceSplit>},
}};

}  // namespace

void load_pretokenizers(const JsonField& field, PreTokenizers& steps) {
  const JsonField type = field.at("type");
  if (type.string() == "Sequence") {
    const JsonField list = field.at("pretokenizers");
    list.check_depth();
    for (std::size_t i = 0; i < list.array().size(); ++i)
      load_pretokenizers(list.element(i), steps);
    return;
  }
  std::string known = "Sequence";
  for (const auto& [name, load] : loaders) {
    if (type.string() == name) {
      steps.push_back(load(field));
      return;
    }
    known += ", " + std::string(name);
  }
  type.fail(ErrorKind::unsupported, "is a pre-tokeniser that Kobolt does not know", known);
}

}  // namespace kobolt::text
