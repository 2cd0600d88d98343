#pragma once

#include <cstdint>
#include <span>

#include "kobolt/mask.h"
#include "kobolt/tensor.h"

namespace kobolt {

/// The rows (dim 0) or columns (dim 1) `kept`, in that order, of a matrix or, with dim 0, of a
/// vector. Owned, in the same number format.
Tensor take_channels(const Tensor& tensor, int dim, std::span<const std::int64_t> kept);

/// The same of a matrix's mask.
Mask take_channels(const Mask& mask, int dim, std::span<const std::int64_t> kept);

}  // namespace kobolt
