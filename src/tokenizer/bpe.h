#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tokenizer/flat_map.h"
#include "tokenizer/token_model.h"

namespace kobolt::text {

/// A set of pairs that may claim too much, in 32 KiB: it stays in the first-level cache, where the
/// table of merges does not, and most pairs that are asked for have no merge.
class PairFilter {
 public:
  void insert(std::uint64_t key) {
    const std::size_t bit = bit_of(key);
    words_[bit / 64] |= std::uint64_t{1} << (bit % 64);
  }
  [[nodiscard]] bool may_contain(std::uint64_t key) const {
    const std::size_t bit = bit_of(key);
    return ((words_[bit / 64] >> (bit % 64)) & 1U) != 0;
  }

 private:
  static constexpr unsigned log2_bits = 18;
  static std::size_t bit_of(std::uint64_t key) {
    return static_cast<std::size_t>((key * 0xD6E8FEB86659FD93U) >> (64 - log2_bits));
  }
  std::vector<std::uint64_t> words_ = std::vector<std::uint64_t>((1U << log2_bits) / 64);
};

/// Byte-pair encoding: starts from characters and joins the pair of the lowest rank, leftmost
/// first, until no pair is left that may be joined.
class Bpe final : public VocabularyModel {
 public:
  struct Options {
    std::string unknown_token;  ///< empty: characters without a token vanish
    std::string continuing_subword_prefix;
    std::string end_of_word_suffix;
    bool fuse_unknown = false;   ///< a run of unknown characters is one unknown token
    bool byte_fallback = false;  ///< "<0xE1>" tokens for the bytes of an unknown character
    bool ignore_merges = false;  ///< a piece that is a token is taken whole
  };

  Bpe(Vocabulary vocabulary, Options options);

  /// Adds the merge of the next lower priority. Returns the token that it needs and that does not
  /// exist, if there is one.
  std::optional<std::string> add_merge(std::string_view left, std::string_view right);

  void encode(std::string_view piece, std::vector<std::int32_t>& ids,
              ModelScratch& scratch) const override;
  [[nodiscard]] std::unique_ptr<ModelScratch> make_scratch() const override;
  [[nodiscard]] std::string_view kind() const override { return "BPE"; }

 private:
  struct Merge {
    std::uint32_t rank;
    std::int32_t id;
  };
  struct Scratch;

  [[nodiscard]] const Merge* merge_of(std::int32_t left, std::int32_t right) const;
  [[nodiscard]] std::int32_t character_id(std::string_view character, char32_t code_point) const;
  void split_characters(std::string_view piece, Scratch& scratch) const;
  void merge_short(Scratch& scratch) const;
  void merge_long(Scratch& scratch) const;
  void encode_uncached(std::string_view piece, std::vector<std::int32_t>& ids,
                       Scratch& scratch) const;

  Options options_;
  std::int32_t unknown_ = Vocabulary::none;
  std::uint32_t next_rank_ = 0;
  FlatMap<Merge> merges_;
  PairFilter filter_;                      ///< knows most pairs that have no merge
  std::vector<std::int32_t> basic_plane_;  ///< id of each one-character token below U+10000
  std::vector<std::int32_t> byte_ids_;     ///< of "<0x00>" to "<0xFF>"
};

std::unique_ptr<TokenModel> load_bpe(const JsonField& field);

}  // namespace kobolt::text
