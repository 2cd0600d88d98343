#include "tokenizer/token_model.h"

#include <string>

#include "tokenizer/bpe.h"
#include "tokenizer/unigram.h"
#include "tokenizer/wordlevel.h"
#include "tokenizer/wordpiece.h"

namespace kobolt::text {
namespace {

// Files from before the `type` field are told apart by what they hold.
std::string type_of(const JsonField& field) {
  if (const auto type = field.find("type")) return type->string();
  if (field.find("merges")) return "BPE";
  if (field.find("continuing_subword_prefix")) return "WordPiece";
  const auto vocabulary = field.find("vocab");
  if (vocabulary && vocabulary->json().is_array()) return "Unigram";
  return "WordLevel";
}

constexpr std::uint64_t largest_plain_id = 1U << 30U;

}  // namespace

Vocabulary load_vocabulary(const JsonField& field) {
  const nlohmann::json& members = field.object();
  Vocabulary vocabulary(members.size());
  for (const auto& [token, id] : members.items()) {
    // Where a field stands is spelled out only when something is wrong with it: there are many.
    const auto entry = [&, &value = id, &name = token] {
      return JsonField(value, field.file(), field.path() + "[\"" + name + "\"]");
    };
    const bool plain = id.is_number_unsigned() && id.get<std::uint64_t>() <= largest_plain_id;
    const std::int32_t number = plain ? id.get<std::int32_t>() : entry().token_id();
    if (vocabulary.add(token, number) == Vocabulary::Added::id_taken) {
      entry().fail(ErrorKind::corrupt, "is the id of two tokens");
    }
  }
  return vocabulary;
}

std::unique_ptr<TokenModel> load_model(const JsonField& field) {
  const std::string type = type_of(field);
  if (type == "BPE") return load_bpe(field);
  if (type == "Unigram") return load_unigram(field);
  if (type == "WordLevel") return load_wordlevel(field);
  if (type == "WordPiece") return load_wordpiece(field);
  field.at("type").fail(ErrorKind::unsupported, "is a model that Kobolt does not know",
                        "BPE, Unigram, WordLevel, WordPiece");
}

}  // namespace kobolt::text
