#pragma once

#include <span>
#include <string>
#include <string_view>

namespace kobolt::cli {

/// The candidate that `word` most likely was meant to be, or nothing when none is near.
std::string closest(std::string_view word, std::span<const std::string> candidates);

/// "; did you mean X?", or nothing for an empty suggestion.
std::string did_you_mean(std::string_view suggestion);

}  // namespace kobolt::cli
