#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "tokenizer/decoder.h"
#include "tokenizer/token_model.h"

namespace kobolt::text {

/// A SentencePiece model, run by the SentencePiece library. Thread-safe.
class SentencePiece {
 public:
  /// Throws Error(corrupt) about `file`.
  SentencePiece(std::string_view bytes, const std::string& file);
  SentencePiece(const SentencePiece&) = delete;
  SentencePiece& operator=(const SentencePiece&) = delete;
  ~SentencePiece();

  [[nodiscard]] std::vector<std::string> encode(std::string_view text) const;
  [[nodiscard]] std::string decode(const std::vector<std::string>& pieces) const;
  [[nodiscard]] std::int32_t size() const;
  [[nodiscard]] const std::string& piece(std::int32_t id) const;

 private:
  struct Processor;
  std::unique_ptr<Processor> processor_;
};

/// Pieces of a SentencePiece model under the ids of a vocabulary of its own.
class SentencePieceModel final : public VocabularyModel {
 public:
  /// With `language_codes`, a leading ">>xx<<" is a token by itself (Marian).
  SentencePieceModel(Vocabulary vocabulary, std::shared_ptr<const SentencePiece> pieces,
                     std::int32_t unknown, bool language_codes);
  void encode(std::string_view piece, std::vector<std::int32_t>& ids,
              ModelScratch& scratch) const override;
  [[nodiscard]] std::string_view kind() const override { return "SentencePiece"; }

 private:
  [[nodiscard]] std::int32_t id_or_unknown(std::string_view token) const;

  std::shared_ptr<const SentencePiece> pieces_;
  std::int32_t unknown_;
  bool language_codes_;
};

/// Joins the pieces between special tokens. The families differ in the spaces around the latter.
class SentencePieceDecoder final : public TokenDecoder {
 public:
  enum class Style : std::uint8_t {
    joined,        ///< mBART: everything in one
    space_after,   ///< Marian: a space after each special token
    space_before,  ///< mBART-50: a space before each run of special tokens
    plain,         ///< Pegasus: no space
  };
  SentencePieceDecoder(std::shared_ptr<const SentencePiece> pieces, Style style,
                       std::unordered_set<std::string> special_tokens)
      : pieces_(std::move(pieces)), style_(style), special_tokens_(std::move(special_tokens)) {}
  void decode(std::vector<std::string>& tokens) const override;

 private:
  std::shared_ptr<const SentencePiece> pieces_;
  Style style_;
  std::unordered_set<std::string> special_tokens_;
};

}  // namespace kobolt::text
