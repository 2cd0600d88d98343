#include "tokenizer/wordpiece.h"

#include <string>
#include <utility>

#include "tokenizer/byte_trie.h"
#include "tokenizer/unicode.h"

namespace kobolt::text {
namespace {

class WordPiece final : public VocabularyModel {
 public:
  WordPiece(Vocabulary vocab, std::string unknown, const std::string& prefix, std::size_t longest)
      : VocabularyModel(std::move(vocab)), unknown_token_(std::move(unknown)), longest_(longest) {
    unknown_ = vocabulary().find(unknown_token_);
    for (std::size_t i = 0; i < vocabulary().size(); ++i) {
      const std::string_view token = vocabulary().token_at(i);
      if (!token.empty()) first_.insert(token, vocabulary().id_at(i));
      if (token.size() > prefix.size() && token.starts_with(prefix)) {
        later_.insert(token.substr(prefix.size()), vocabulary().id_at(i));
      }
    }
  }

  void encode(std::string_view piece, std::vector<std::int32_t>& ids,
              ModelScratch& /*scratch*/) const override {
    const std::size_t before = ids.size();
    bool whole = count_code_points(piece) <= longest_;
    for (std::size_t at = 0; whole && at < piece.size();) {
      std::size_t length = 0;
      std::int32_t id = Vocabulary::none;
      const std::string_view rest = piece.substr(at);
      (at == 0 ? first_ : later_).for_each_prefix(rest, [&](std::size_t size, std::int32_t value) {
        length = size;
        id = value;
      });
      whole = id != Vocabulary::none;
      ids.push_back(id);
      at += length;
    }
    if (whole) return;
    if (unknown_ == Vocabulary::none) {
      throw Error(ErrorKind::invalid_argument,
                  "the text has a word that the tokenizer cannot spell, and the unknown token is "
                  "not in the vocabulary",
                  {.field = "model.unk_token", .found = unknown_token_});
    }
    ids.resize(before);
    ids.push_back(unknown_);
  }
  [[nodiscard]] std::string_view kind() const override { return "WordPiece"; }

 private:
  std::string unknown_token_;
  std::int32_t unknown_ = Vocabulary::none;
  std::size_t longest_;  ///< in code points; longer pieces are unknown
  ByteTrie first_;       ///< tokens that begin a piece
  ByteTrie later_;       ///< tokens that continue one, without their prefix
};

}  // namespace

std::unique_ptr<TokenModel> load_wordpiece(const JsonField& field) {
  constexpr std::int64_t usual_longest = 100;
  constexpr std::int64_t most = std::int64_t{1} << 32U;
  const auto longest = field.find("max_input_chars_per_word");
  return std::make_unique<WordPiece>(
      load_vocabulary(field.at("vocab")), field.text("unk_token", "[UNK]"),
      field.text("continuing_subword_prefix", "##"),
      static_cast<std::size_t>(longest ? longest->integer(0, most) : usual_longest));
}

}  // namespace kobolt::text
