#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace kobolt::cli {

/// "99%" and "0.99" as 0.99; nothing for text that is neither, and for a bare number above 1, where
/// a percent sign is missing more likely than not. Above 0.
std::optional<double> share_from_text(std::string_view text);

/// 0.99104 as "99.10 %", with more decimals where it would read the same as `beside` and is not:
/// 98.997 % must not stand beside 99 % as if it had passed.
std::string share_text(double share, double beside);

}  // namespace kobolt::cli
