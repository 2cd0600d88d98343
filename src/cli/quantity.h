#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace kobolt::cli {

/// "50ms", "1.5 s", "200us" in seconds; nothing for text that is no time above 0, also where the
/// unit is missing.
std::optional<double> seconds_from_text(std::string_view text);

/// "60MB", "1.5 GB", "800kB", "417 B" in bytes, powers of 1000 as format_bytes prints them; "64MiB"
/// and the like are powers of 1024. Nothing for text that is no size above 0.
std::optional<std::uint64_t> bytes_from_text(std::string_view text);

}  // namespace kobolt::cli
