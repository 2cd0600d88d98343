#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "tokenizer/json_field.h"
#include "tokenizer/vocabulary.h"

namespace kobolt::text {

/// Memory that a model reuses from word to word; one per call in flight.
class ModelScratch {
 public:
  ModelScratch() = default;
  ModelScratch(const ModelScratch&) = delete;
  ModelScratch& operator=(const ModelScratch&) = delete;
  virtual ~ModelScratch() = default;
};

/// Turns one piece of text into token ids. Immutable and thread-safe.
class TokenModel {
 public:
  TokenModel() = default;
  TokenModel(const TokenModel&) = delete;
  TokenModel& operator=(const TokenModel&) = delete;
  virtual ~TokenModel() = default;

  /// Appends the ids of `piece` (valid UTF-8, not empty). Throws Error(invalid_argument) where the
  /// text has no representation and the model no unknown token.
  virtual void encode(std::string_view piece, std::vector<std::int32_t>& ids,
                      ModelScratch& scratch) const = 0;
  [[nodiscard]] virtual std::unique_ptr<ModelScratch> make_scratch() const {
    return std::make_unique<ModelScratch>();
  }

  /// The id of `token`, or Vocabulary::none.
  [[nodiscard]] virtual std::int32_t find(std::string_view token) const = 0;
  [[nodiscard]] virtual std::optional<std::string_view> token(std::int32_t id) const = 0;
  [[nodiscard]] virtual std::size_t vocab_size() const = 0;
  [[nodiscard]] virtual std::string_view kind() const = 0;
};

/// A model whose tokens are a plain vocabulary.
class VocabularyModel : public TokenModel {
 public:
  explicit VocabularyModel(Vocabulary vocabulary) : vocabulary_(std::move(vocabulary)) {}
  [[nodiscard]] std::int32_t find(std::string_view token) const override {
    return vocabulary_.find(token);
  }
  [[nodiscard]] std::optional<std::string_view> token(std::int32_t id) const override {
    return vocabulary_.token(id);
  }
  [[nodiscard]] std::size_t vocab_size() const override { return vocabulary_.size(); }

 protected:
  [[nodiscard]] const Vocabulary& vocabulary() const { return vocabulary_; }

 private:
  Vocabulary vocabulary_;
};

/// Reads a `vocab` object, token to id. Throws Error(corrupt) naming the token whose id is no id
/// or belongs to another token.
Vocabulary load_vocabulary(const JsonField& field);

/// The model that a tokenizer.json describes. Throws Error(unsupported) naming a type that Kobolt
/// does not know.
std::unique_ptr<TokenModel> load_model(const JsonField& field);

}  // namespace kobolt::text
