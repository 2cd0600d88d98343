#pragma once

#include <memory>

#include "tokenizer/token_model.h"

namespace kobolt::text {

/// One token a piece, or the unknown token.
std::unique_ptr<TokenModel> load_wordlevel(const JsonField& field);

}  // namespace kobolt::text
