#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "base/float16.h"
#include "kobolt/tensor.h"

namespace kobolt {

/// The bits of |w| as float32: ordered as numbers where they are compared as integers, so that
/// selection needs neither conversion nor comparison of floats. Not-a-number is above infinity.
using Key = std::uint32_t;

inline constexpr Key kInfinity = 0x7F800000U;
inline constexpr std::size_t kBlock = 64;  ///< weights whose mask bits are one word
using KeyBlock = std::array<Key, kBlock>;

inline float magnitude_of(Key key) { return std::bit_cast<float>(key); }

/// The keys of weights [begin, begin + count) of an f32, f16 or bf16 tensor, count <= kBlock.
inline void load_keys(const Tensor& tensor, std::size_t begin, std::size_t count, KeyBlock& keys) {
  constexpr Key kMagnitude = 0x7FFFFFFFU;
  const std::byte* source = tensor.bytes.data() + begin * size_of(tensor.dtype);
  if (tensor.dtype == DType::f32) {
    std::memcpy(keys.data(), source, count * sizeof(Key));
    for (std::size_t i = 0; i < count; ++i) keys[i] &= kMagnitude;
    return;
  }
  std::array<std::uint16_t, kBlock> halves;
  std::memcpy(halves.data(), source, count * sizeof(std::uint16_t));
  for (std::size_t i = 0; i < count; ++i) {
    const float value =
        tensor.dtype == DType::bf16 ? f32_from_bf16(halves[i]) : f32_from_f16(halves[i]);
    keys[i] = std::bit_cast<Key>(value) & kMagnitude;
  }
}

}  // namespace kobolt
