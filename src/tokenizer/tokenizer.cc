#include "kobolt/tokenizer.h"

#include <array>
#include <utility>

#include "tokenizer/folder_loader.h"
#include "tokenizer/json_loader.h"
#include "tokenizer/tokenizer_impl.h"
#include "tokenizer/unicode.h"

namespace kobolt {

std::span<const std::string_view> tokenizer_file_names() {
  static constexpr std::array<std::string_view, 13> names = {"tokenizer.json",
                                                             "tokenizer_config.json",
                                                             "special_tokens_map.json",
                                                             "added_tokens.json",
                                                             "vocab.json",
                                                             "merges.txt",
                                                             "vocab.txt",
                                                             "target_vocab.json",
                                                             "source.spm",
                                                             "target.spm",
                                                             "sentencepiece.bpe.model",
                                                             "spiece.model",
                                                             "tokenizer.model"};
  return names;
}

Tokenizer Tokenizer::load(const TokenizerFiles& files, Family family) {
  if (const auto file = files.find("tokenizer.json"); file != files.end()) {
    return Tokenizer(text::load_tokenizer_json(file->second));
  }
  return Tokenizer(text::load_tokenizer_folder(files, family));
}

Tokenizer::Tokenizer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Tokenizer::Tokenizer(Tokenizer&&) noexcept = default;
Tokenizer& Tokenizer::operator=(Tokenizer&&) noexcept = default;
Tokenizer::~Tokenizer() = default;

std::vector<std::int32_t> Tokenizer::encode(std::string_view text,
                                            const EncodeOptions& options) const {
  std::string storage;
  return impl_->encode(text::repaired_utf8(text, storage), options);
}

std::string Tokenizer::decode(std::span<const std::int32_t> ids, bool skip_special_tokens) const {
  return impl_->decode(ids, skip_special_tokens);
}

int Tokenizer::vocab_size() const { return impl_->vocab_size(); }

std::optional<std::int32_t> Tokenizer::token_to_id(std::string_view token) const {
  return impl_->token_to_id(token);
}

std::optional<std::string> Tokenizer::id_to_token(std::int32_t id) const {
  return impl_->id_to_token(id);
}

std::string_view Tokenizer::kind() const { return impl_->kind(); }

}  // namespace kobolt
