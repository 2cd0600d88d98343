#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "tokenizer/byte_trie.h"
#include "tokenizer/json_field.h"
#include "tokenizer/normalizer.h"
#include "tokenizer/pretokenizer.h"
#include "tokenizer/token_model.h"

namespace kobolt::text {

/// A token that is found in the text before anything else happens to it.
struct AddedToken {
  std::string content;
  bool single_word = false;  ///< only between non-word characters
  bool lstrip = false;       ///< takes the white space on its left along
  bool rstrip = false;
  bool normalized = true;  ///< is looked for in the normalised text
  bool special = false;    ///< left out by decode(skip_special_tokens)
};

/// The added tokens of a tokenizer, and the search for them.
class AddedTokens {
 public:
  /// Adds `token`. Its id is the model's, else `wanted`, else the next free one after the model's
  /// vocabulary.
  void add(AddedToken token, const TokenModel& model, const Normalizer* normalizer,
           std::optional<std::int32_t> wanted = {});
  /// Call after the last add().
  void finish();

  /// Cuts `text` at added tokens and normalises what lies between. Views into `arena` or `text`.
  void split(std::string_view text, const Normalizer* normalizer, TextArena& arena,
             std::vector<Piece>& pieces) const;

  [[nodiscard]] std::optional<std::int32_t> find(std::string_view content) const;
  /// The text of token `id`, as the decoder is to see it.
  [[nodiscard]] const std::string* token(std::int32_t id) const;
  [[nodiscard]] bool is_special(std::string_view content) const;
  /// Tokens that the model's own vocabulary does not have.
  [[nodiscard]] std::size_t beyond_model() const { return beyond_model_; }

 private:
  struct Match {
    std::size_t start;
    std::size_t stop;
    std::int32_t id;
  };
  /// One of the two searches: in the text as given, or in the normalised text.
  struct Search {
    ByteTrie trie;
    bool empty = true;
  };
  static void find_matches(const Search& search, const std::vector<AddedToken>& tokens,
                           std::string_view text, std::vector<Match>& matches);

  std::vector<AddedToken> tokens_;
  std::vector<std::string> seen_by_decoder_;
  std::vector<std::int32_t> ids_;
  std::unordered_map<std::string, std::size_t> by_content_;
  std::unordered_map<std::int32_t, std::size_t> by_id_;
  std::unordered_set<std::string> special_;
  std::size_t beyond_model_ = 0;
  std::int32_t next_id_ = -1;
  Search raw_;
  Search normalized_;
};

}  // namespace kobolt::text
