#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace kobolt::cli {

/// Terminal columns that `text` takes: Korean and emoji take two, combining marks none. Counted by
/// grapheme cluster; an invalid byte counts as the U+FFFD that a terminal shows for it.
std::size_t display_width(std::string_view text);

/// `text` made fit for one table cell: control characters and line breaks become spaces, and what
/// goes past `columns` is cut at a cluster and marked with "…".
std::string fit_to_width(std::string_view text, std::size_t columns);

}  // namespace kobolt::cli
