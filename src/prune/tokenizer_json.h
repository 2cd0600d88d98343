#pragma once

#include <cstdint>
#include <functional>
#include <nlohmann/json.hpp>
#include <set>
#include <string>

namespace kobolt {

/// New id of an old one, or -1 where the token goes.
using NewId = std::function<std::int32_t(std::int64_t old)>;

/// A tokenizer.json whose vocabulary is to lose tokens.
class TokenizerJson {
 public:
  /// Throws Error(unsupported) for a kind of model that cannot be reduced.
  explicit TokenizerJson(const std::string& text);

  /// Adds to the ids of tokens that texts use those without which they would be cut otherwise:
  /// what BPE joins on its way to them, Unigram's worst piece (its score decides what unknown
  /// characters cost), added tokens, the unknown token and, so that other texts can still be
  /// spelled, tokens of one character or byte.
  void add_needed(std::set<std::int32_t>& ids, bool keep_characters) const;

  /// The file with only the tokens that have a new id.
  [[nodiscard]] std::string renumbered(const NewId& new_id) const;

 private:
  [[nodiscard]] std::string kind() const;
  void add_derivations(std::set<std::int32_t>& ids) const;
  void reduce_merges(nlohmann::json& model) const;
  [[nodiscard]] std::string joined(const std::string& first, const std::string& second) const;
  [[nodiscard]] std::string bare(std::string token) const;

  nlohmann::json json_;
  std::string prefix_;  // of a piece that goes on a word, "##"
  std::string suffix_;  // of a piece that ends one, "</w>"
};

/// tokenizer_config.json, which lists added tokens by id.
std::string renumbered_tokenizer_config(const std::string& text, const NewId& new_id);

}  // namespace kobolt
