#pragma once

#include <string>
#include <string_view>

namespace kobolt::text {

/// Puts `to` in place of each `from`, from left to right; an empty `from` changes nothing.
void replace_all(std::string& text, std::string_view from, std::string_view to);

}  // namespace kobolt::text
