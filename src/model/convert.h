#pragma once

#include <string>

#include "kobolt/tensor.h"

namespace kobolt {

/// `tensor` with elements of `dtype` (f32, f16 or bf16, rounded to nearest even); the same bytes
/// where it has that format already. Throws Error(unsupported) naming `name` for integer tensors
/// and for a finite value that becomes infinite.
Tensor convert(const Tensor& tensor, DType dtype, const std::string& name);

}  // namespace kobolt
