#pragma once

#include "kobolt/tokenizer.h"

namespace kobolt {

/// What a Tokenizer is inside: one of a few kinds. Thread-safe.
class Tokenizer::Impl {
 public:
  Impl() = default;
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;
  virtual ~Impl() = default;

  /// `text` is valid UTF-8.
  [[nodiscard]] virtual std::vector<std::int32_t> encode(std::string_view text,
                                                         const EncodeOptions& options) const = 0;
  [[nodiscard]] virtual std::string decode(std::span<const std::int32_t> ids,
                                           bool skip_special_tokens) const = 0;
  [[nodiscard]] virtual int vocab_size() const = 0;
  [[nodiscard]] virtual std::optional<std::int32_t> token_to_id(std::string_view token) const = 0;
  [[nodiscard]] virtual std::optional<std::string> id_to_token(std::int32_t id) const = 0;
  [[nodiscard]] virtual std::string_view kind() const = 0;
};

}  // namespace kobolt
