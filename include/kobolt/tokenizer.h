#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "kobolt/export.h"
#include "kobolt/model.h"

namespace kobolt {

/// Names of the files in a checkpoint folder that belong to its tokenizer: what TokenizerFiles
/// holds of those that exist.
KOBOLT_API std::span<const std::string_view> tokenizer_file_names();

struct EncodeOptions {
  bool add_special_tokens = true;
  /// Longest result in tokens, special tokens included; 0 = the tokenizer's own setting only.
  int max_length = 0;
};

/// Text to token ids and back, equal to Hugging Face `tokenizers` for tokenizer.json and to the
/// model's own slow tokenizer for folders that only have SentencePiece or vocab/merges files.
/// Immutable; encode and decode may be called from several threads.
class KOBOLT_API Tokenizer {
 public:
  /// Builds from a checkpoint's files. Throws Error naming file and field.
  static Tokenizer load(const TokenizerFiles& files, Family family);

  Tokenizer(Tokenizer&&) noexcept;
  Tokenizer& operator=(Tokenizer&&) noexcept;
  ~Tokenizer();

  /// Ids of `text`; invalid UTF-8 is read as U+FFFD.
  [[nodiscard]] std::vector<std::int32_t> encode(std::string_view text,
                                                 const EncodeOptions& options = {}) const;
  /// Text of `ids`. Ids outside the vocabulary are dropped, as Hugging Face does.
  [[nodiscard]] std::string decode(std::span<const std::int32_t> ids,
                                   bool skip_special_tokens = true) const;

  [[nodiscard]] int vocab_size() const;  ///< added tokens included
  [[nodiscard]] std::optional<std::int32_t> token_to_id(std::string_view token) const;
  [[nodiscard]] std::optional<std::string> id_to_token(std::int32_t id) const;
  /// "BPE", "Unigram", "WordPiece", "WordLevel", "SentencePiece".
  [[nodiscard]] std::string_view kind() const;

  class Impl;

 private:
  explicit Tokenizer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace kobolt
