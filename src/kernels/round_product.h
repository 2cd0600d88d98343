#pragma once

#include <cmath>

namespace kobolt::kernels {

/// The integer nearest to x * factor, ties to even, for magnitudes below 2^22. The product itself
/// is not rounded, as in the vectors' fused multiply-add: a double holds it exactly.
inline float round_product(float x, float factor) {
  return static_cast<float>(std::nearbyint(static_cast<double>(x) * static_cast<double>(factor)));
}

}  // namespace kobolt::kernels
