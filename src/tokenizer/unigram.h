#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tokenizer/byte_trie.h"
#include "tokenizer/token_model.h"

namespace kobolt::text {

/// Unigram language model: the segmentation with the highest sum of log probabilities (Viterbi).
/// A character without a token costs the lowest score less 10; runs of them are one unknown.
class Unigram final : public TokenModel {
 public:
  struct Token {
    std::string text;
    double score;
  };

  /// `unknown` is an index into `tokens`, or absent.
  Unigram(std::vector<Token> tokens, std::optional<std::int32_t> unknown, bool byte_fallback);

  void encode(std::string_view piece, std::vector<std::int32_t>& ids,
              ModelScratch& scratch) const override;
  [[nodiscard]] std::unique_ptr<ModelScratch> make_scratch() const override;
  [[nodiscard]] std::int32_t find(std::string_view token) const override;
  [[nodiscard]] std::optional<std::string_view> token(std::int32_t id) const override;
  [[nodiscard]] std::size_t vocab_size() const override { return tokens_.size(); }
  [[nodiscard]] std::string_view kind() const override { return "Unigram"; }

 private:
  struct Scratch;
  void find_best_path(std::string_view piece, Scratch& scratch) const;
  void emit_unknown(std::string_view part, std::vector<std::int32_t>& ids) const;
  [[noreturn]] static void no_unknown_token();

  std::vector<Token> tokens_;
  ByteTrie trie_;
  std::optional<std::int32_t> unknown_;
  double unknown_score_ = 0;
  std::vector<std::int32_t> byte_ids_;  ///< of "<0x00>" to "<0xFF>"; empty without byte fallback
};

std::unique_ptr<TokenModel> load_unigram(const JsonField& field);

}  // namespace kobolt::text
