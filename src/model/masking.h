#pragma once

#include "kobolt/mask.h"
#include "kobolt/tensor.h"

namespace kobolt {

/// `tensor`, of the mask's shape, with pruned elements zero: a copy in the same number format.
Tensor masked(const Tensor& tensor, const Mask& mask);

}  // namespace kobolt
