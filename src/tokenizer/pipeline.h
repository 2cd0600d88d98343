#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "tokenizer/added_tokens.h"
#include "tokenizer/decoder.h"
#include "tokenizer/normalizer.h"
#include "tokenizer/pattern_split.h"
#include "tokenizer/post_processor.h"
#include "tokenizer/pretokenizer.h"
#include "tokenizer/token_model.h"
#include "tokenizer/tokenizer_impl.h"

namespace kobolt::text {

/// The file's own limit on length.
struct Truncation {
  std::size_t max_length = 0;  ///< special tokens included
  bool from_left = false;      ///< drops the beginning instead of the end
  /// "OnlyFirst" insists that something of the text is left.
  bool keep_some = false;
};

/// The stages of a tokenizer.json, in their order.
struct PipelineParts {
  std::unique_ptr<Normalizer> normalizer;
  PreTokenizers pretokenizers;
  std::unique_ptr<TokenModel> model;
  PostProcessor post_processor;
  TokenDecoders decoders;
  bool has_decoder = false;  ///< without one, tokens are joined by spaces
  AddedTokens added;
  std::optional<Truncation> truncation;
  std::optional<Vocabulary> target_vocabulary;  ///< decode's, where it is not the model's
};

/// A tokenizer that works as Hugging Face `tokenizers` does.
class Pipeline final : public Tokenizer::Impl {
 public:
  explicit Pipeline(PipelineParts parts) : parts_(std::move(parts)) {}

  [[nodiscard]] std::vector<std::int32_t> encode(std::string_view text,
                                                 const EncodeOptions& options) const override;
  [[nodiscard]] std::string decode(std::span<const std::int32_t> ids,
                                   bool skip_special_tokens) const override;
  [[nodiscard]] int vocab_size() const override;
  [[nodiscard]] std::optional<std::int32_t> token_to_id(std::string_view token) const override;
  [[nodiscard]] std::optional<std::string> id_to_token(std::int32_t id) const override;
  [[nodiscard]] std::string_view kind() const override { return parts_.model->kind(); }

 private:
  /// Memory of one encode call in flight.
  struct Workspace {
    TextArena arena;
    std::vector<Piece> pieces;
    std::vector<Piece> next_pieces;
    std::vector<Stretch> stretches;
    std::unique_ptr<ModelScratch> scratch;
  };
  /// Workspaces wait here between calls; there are as many as calls were ever in flight at once.
  class Borrowed;

  /// Most tokens of the text that can survive truncation; nullopt where all can.
  [[nodiscard]] std::optional<std::size_t> limit(const EncodeOptions& options) const;

  PipelineParts parts_;
  mutable std::mutex mutex_;
  mutable std::vector<std::unique_ptr<Workspace>> idle_;
};

}  // namespace kobolt::text
