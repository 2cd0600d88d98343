#pragma once

#include <string>
#include <string_view>

namespace kobolt {

/// JSON without the white space beside its brackets, commas and colons: the same to every reader.
/// Half of an indented tokenizer.json is such space. Text that ends within a string is returned as
/// it is.
std::string compact_json(std::string_view text);

}  // namespace kobolt
