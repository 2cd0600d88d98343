#pragma once

#include <string>
#include <string_view>

namespace kobolt {

/// `text` with the string value of a top-level `key` replaced, every other byte kept. Unchanged
/// where there is no such key or its value is not a string. `text` must be valid JSON.
std::string replace_string_field(std::string_view text, std::string_view key,
                                 std::string_view value);

}  // namespace kobolt
