#pragma once

#include <memory>
#include <string_view>

#include "tokenizer/tokenizer_impl.h"

namespace kobolt::text {

/// Builds the tokenizer that a tokenizer.json describes. Throws Error naming the field at fault.
std::unique_ptr<Tokenizer::Impl> load_tokenizer_json(std::string_view bytes);

}  // namespace kobolt::text
