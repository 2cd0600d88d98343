#pragma once

#include <string>
#include <string_view>

#include "tokenizer/json_field.h"

namespace kobolt::text {

/// `pattern`, written for Oniguruma (Ruby syntax), as a PCRE2 pattern that means the same under
/// PCRE2_UTF | PCRE2_UCP | PCRE2_MULTILINE. Throws Error(unsupported) about `where` for what PCRE2
/// has no words for: class intersections and nested classes.
std::string oniguruma_to_pcre2(std::string_view pattern, const JsonField& where);

}  // namespace kobolt::text
