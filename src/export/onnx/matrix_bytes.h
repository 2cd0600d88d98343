#pragma once

#include <cstdint>
#include <string>

#include "export/onnx/elements.h"
#include "kobolt/tensor.h"

/// Matrices of the model, [out, in], as the bytes of ONNX tensors.
namespace kobolt::onnx {

/// How the numbers lie.
enum class Order : std::uint8_t {
  rows,     ///< as in the model: [out, in]
  columns,  ///< as MatMul takes its second factor: [in, out]
};

/// f32 or f16. Throws Error naming `name` where a number is too large for f16.
Bytes float_bytes(const Tensor& matrix, DType dtype, Order order, const std::string& name);

/// Numbers of 8 bits, -127 to 127, and the scale of each row [out]: the row's largest magnitude
/// over 127.
struct Int8Bytes {
  Bytes numbers;
  Bytes scales;
};
/// Throws Error naming `name` where a number is not finite.
Int8Bytes int8_bytes(const Tensor& matrix, Order order, const std::string& name);

/// Numbers of 4 bits, -8 to 7, [in, out], two in a byte, the first in its low half, and the scales
/// of blocks of kInt4Block inputs, [ceil(in / kInt4Block), out]. Rounded as engines round.
struct Int4Bytes {
  Bytes numbers;
  Bytes scales;
};
inline constexpr int kInt4Block = 32;
/// Throws Error naming `name` where a number is not finite.
Int4Bytes int4_bytes(const Tensor& matrix, const std::string& name);

}  // namespace kobolt::onnx
