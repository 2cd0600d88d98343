#pragma once

#include <vector>

namespace kobolt {

/// The gradient of kernels::layer_norm: from `dy`, of y, to that of x, in place, over rows of
/// gamma.size(). x is what was normalised.
void layer_norm_backward(const float* x, int rows, const std::vector<float>& gamma, float epsilon,
                         float* dy);

}  // namespace kobolt
