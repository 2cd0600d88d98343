#include "tokenizer/wordlevel.h"

#include <string>
#include <utility>

namespace kobolt::text {
namespace {

class WordLevel final : public VocabularyModel {
 public:
  WordLevel(Vocabulary vocabulary, std::int32_t unknown)
      : VocabularyModel(std::move(vocabulary)), unknown_(unknown) {}

  void encode(std::string_view piece, std::vector<std::int32_t>& ids,
              ModelScratch& /*scratch*/) const override {
    std::int32_t id = vocabulary().find(piece);
    if (id == Vocabulary::none) id = unknown_;
    if (id == Vocabulary::none) {
      throw Error(ErrorKind::invalid_argument,
                  "the text has a word that the tokenizer does not know, and there is no unknown "
                  "token",
                  {.field = "model.unk_token", .found = std::string(piece)});
    }
    ids.push_back(id);
  }
  [[nodiscard]] std::string_view kind() const override { return "WordLevel"; }

 private:
  std::int32_t unknown_;
};

}  // namespace

std::unique_ptr<TokenModel> load_wordlevel(const JsonField& field) {
  Vocabulary vocabulary = load_vocabulary(field.at("vocab"));
  const std::int32_t unknown = vocabulary.find(field.text("unk_token", "<unk>"));
  return std::make_unique<WordLevel>(std::move(vocabulary), unknown);
}

}  // namespace kobolt::text
