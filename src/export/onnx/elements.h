#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

namespace kobolt::onnx {

/// Type of a tensor's elements, by its number in TensorProto.DataType.
enum class ElementType : std::int32_t {
  f32 = 1,
  i8 = 3,
  i64 = 7,
  boolean = 9,
  f16 = 10,
  i4 = 22,  ///< two in a byte, the first in its low half
};

/// Elements as ONNX stores them: row-major, little-endian.
using Bytes = std::vector<std::byte>;

template <typename T>
Bytes bytes_of(std::span<const T> values) {
  Bytes bytes(values.size_bytes());
  if (!bytes.empty()) std::memcpy(bytes.data(), values.data(), bytes.size());
  return bytes;
}

}  // namespace kobolt::onnx
