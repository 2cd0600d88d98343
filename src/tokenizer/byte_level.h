#pragma once

#include <memory>

#include "tokenizer/json_field.h"
#include "tokenizer/pretokenizer.h"

namespace kobolt::text {

/// Cuts as GPT-2 does (contractions, words, numbers, other signs, each with the space before it)
/// and spells the bytes in GPT-2's alphabet.
std::unique_ptr<PreTokenizer> make_byte_level(bool add_prefix_space, bool use_regex);
std::unique_ptr<PreTokenizer> load_byte_level(const JsonField& field);

}  // namespace kobolt::text
