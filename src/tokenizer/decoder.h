#pragma once

#include <memory>
#include <string>
#include <vector>

#include "tokenizer/json_field.h"

namespace kobolt::text {

/// Turns the texts of tokens into readable text; several run one after the other and the outcome
/// is joined. Thread-safe.
class TokenDecoder {
 public:
  TokenDecoder() = default;
  TokenDecoder(const TokenDecoder&) = delete;
  TokenDecoder& operator=(const TokenDecoder&) = delete;
  virtual ~TokenDecoder() = default;
  virtual void decode(std::vector<std::string>& tokens) const = 0;
};

using TokenDecoders = std::vector<std::unique_ptr<TokenDecoder>>;

/// Spells bytes out of GPT-2's alphabet.
std::unique_ptr<TokenDecoder> make_byte_level_decoder();
/// Takes away the spaces that tokenising put before English punctuation and contractions: what
/// `clean_up_tokenization_spaces` asks for.
std::unique_ptr<TokenDecoder> make_clean_up_decoder();

/// Appends to `steps` the steps that a tokenizer.json describes, Sequences flattened.
/// Throws Error(unsupported) naming a type that Kobolt does not know.
void load_decoders(const JsonField& field, TokenDecoders& steps);

}  // namespace kobolt::text
