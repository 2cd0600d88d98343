#pragma once

#include <memory>

#include "tokenizer/token_model.h"

namespace kobolt::text {

/// The longest token that fits, from the left, again and again; a piece that does not come out
/// whole is one unknown token.
std::unique_ptr<TokenModel> load_wordpiece(const JsonField& field);

}  // namespace kobolt::text
