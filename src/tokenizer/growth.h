#pragma once

#include <cstddef>

namespace kobolt::text {

/// Throws Error(corrupt) when a text of `before` bytes has become `now` bytes: far more than any
/// sound file asks for. A hostile one could double a text a thousand times.
void check_growth(std::size_t before, std::size_t now);

}  // namespace kobolt::text
