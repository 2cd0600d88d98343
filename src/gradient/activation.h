#pragma once

#include <cstddef>

#include "kobolt/model.h"

namespace kobolt {

/// dy *= f'(x) over count values, for the activation f. relu' is 0 at 0, as in PyTorch.
void activation_backward(Activation activation, const float* x, float* dy, std::size_t count);

}  // namespace kobolt
