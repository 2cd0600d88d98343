#include "tokenizer/sentencepiece_model.h"

#include <sentencepiece_processor.h>

#include <exception>
#include <utility>

#include "tokenizer/replace_all.h"
#include "tokenizer/sentencepiece_check.h"
#include "tokenizer/unicode.h"

namespace kobolt::text {
namespace {

constexpr std::string_view visible_space = "\xE2\x96\x81";  // U+2581

// What Python's str.strip() takes away.
std::string stripped(std::string_view text) {
  const auto is_space = [](char32_t c) { return is_whitespace(c) || (c >= 0x1C && c <= 0x1F); };
  while (!text.empty()) {
    const CodePoint first = decode_at(text, 0);
    if (!is_space(first.value)) break;
    text.remove_prefix(first.length);
  }
  while (!text.empty()) {
    const std::size_t last = previous(text, text.size());
    if (!is_space(decode_at(text, last).value)) break;
    text = text.substr(0, last);
  }
  return std::string(text);
}

void check(const sentencepiece::util::Status& status) {
  if (status.ok()) return;
  throw Error(ErrorKind::invalid_argument, "SentencePiece fails", {.found = status.ToString()});
}

}  // namespace

struct SentencePiece::Processor {
  sentencepiece::SentencePieceProcessor value;
};

SentencePiece::SentencePiece(std::string_view bytes, const std::string& file)
    : processor_(std::make_unique<Processor>()) {
  check_sentencepiece(bytes, file);
  std::string problem;
  try {
    const auto status = processor_->value.LoadFromSerializedProto(bytes);
    if (!status.ok()) problem = status.ToString();
  } catch (const std::exception& error) {  // from the library's trie, about empty pieces
    problem = error.what();
  }
  if (!problem.empty()) {
    throw Error(ErrorKind::corrupt, "is no SentencePiece model that the library can load",
                {.file = file, .found = problem, .hint = "copy or download the file again"});
  }
}

SentencePiece::~SentencePiece() = default;

std::vector<std::string> SentencePiece::encode(std::string_view text) const {
  std::vector<std::string> pieces;
  check(processor_->value.Encode(text, &pieces));
  return pieces;
}

std::string SentencePiece::decode(const std::vector<std::string>& pieces) const {
  std::string text;
  check(processor_->value.Decode(pieces, &text));
  return text;
}

std::int32_t SentencePiece::size() const { return processor_->value.GetPieceSize(); }

const std::string& SentencePiece::piece(std::int32_t id) const {
  return processor_->value.IdToPiece(id);
}

SentencePieceModel::SentencePieceModel(Vocabulary vocabulary,
                                       std::shared_ptr<const SentencePiece> pieces,
                                       std::int32_t unknown, bool language_codes)
    : VocabularyModel(std::move(vocabulary)),
      pieces_(std::move(pieces)),
      unknown_(unknown),
      language_codes_(language_codes) {}

std::int32_t SentencePieceModel::id_or_unknown(std::string_view token) const {
  const std::int32_t id = vocabulary().find(token);
  return id == Vocabulary::none ? unknown_ : id;
}

void SentencePieceModel::encode(std::string_view piece, std::vector<std::int32_t>& ids,
                                ModelScratch& /*scratch*/) const {
  if (language_codes_ && piece.starts_with(">>")) {
    if (const std::size_t end = piece.find("<<"); end != std::string_view::npos) {
      ids.push_back(id_or_unknown(piece.substr(0, end + 2)));
      piece.remove_prefix(end + 2);
    }
  }
  for (const std::string& part : pieces_->encode(piece)) ids.push_back(id_or_unknown(part));
}

void SentencePieceDecoder::decode(std::vector<std::string>& tokens) const {
  std::string text;
  if (style_ == Style::joined) {
    for (const std::string& token : tokens) text += token;
  } else {
    std::vector<std::string> run;
    bool after_special = false;
    for (std::string& token : tokens) {
      if (!special_tokens_.contains(token)) {
        run.push_back(std::move(token));
        after_special = false;
        continue;
      }
      if (style_ == Style::space_before && !after_special) text += ' ';
      text += pieces_->decode(run);
      text += token;
      if (style_ == Style::space_after) text += ' ';
      run.clear();
      after_special = true;
    }
    text += pieces_->decode(run);
  }
  if (style_ == Style::joined || style_ == Style::space_after) {
    replace_all(text, visible_space, " ");
  }
  std::string storage;
  tokens.assign(1, stripped(repaired_utf8(text, storage)));
}

}  // namespace kobolt::text
