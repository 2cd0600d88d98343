#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "kobolt/export.h"

namespace kobolt {

/// Element type of a stored tensor.
enum class DType : std::uint8_t { f32, f16, bf16, i64, i32, i16, i8, u8, boolean, f64 };

/// Bytes of one element.
KOBOLT_API std::size_t size_of(DType dtype);
/// The name that safetensors uses: "F32", "F16", "BF16", ...
KOBOLT_API std::string_view name_of(DType dtype);

/// A row-major tensor whose bytes are borrowed from a mapped file or owned; `owner` keeps them
/// alive, so copies are cheap and share the data.
struct Tensor {
  DType dtype = DType::f32;
  std::vector<std::int64_t> shape;
  std::span<const std::byte> bytes;
  std::shared_ptr<const void> owner;

  /// Product of the dimensions (1 for a scalar).
  [[nodiscard]] KOBOLT_API std::int64_t elements() const;
  /// The elements as float32, converted where the tensor is f16, bf16 or f64.
  /// Throws Error(unsupported) for integer tensors.
  [[nodiscard]] KOBOLT_API std::vector<float> to_f32() const;
  /// A tensor that owns its float32 elements. `values.size()` must equal the product of `shape`.
  static KOBOLT_API Tensor from_f32(std::vector<std::int64_t> shape, std::vector<float> values);
};

}  // namespace kobolt
