#pragma once

#include <cstdint>
#include <cstring>

#include "base/float16.h"
#include "kernels/kernels.h"

/// Where things are in a block of PackedI4: 16 scales (bfloat16), one a column, then 4 rows of 16
/// words of 32 bits, one a column. Word o holds the weights of k = 8 o .. 8 o + 7 of the group: the
/// even ones in the low half, the odd ones in the high half, so that shifting both halves by the
/// same amount leaves a pair of neighbouring k.
namespace kobolt::kernels {

/// Byte of a block that holds weight l (0..31) of a column.
constexpr int nibble_byte(int column, int l) {
  const int word = kPanel * 2 + (l / 8 * kPanel + column) * 4;
  return word + l % 2 * 2 + l % 8 / 4;
}
/// Bits below it in that byte.
constexpr int nibble_shift(int l) { return l % 4 / 2 * 4; }

/// Weight l of a column, -8..7.
inline int block_weight(const std::uint8_t* block, int column, int l) {
  const int nibble = (block[nibble_byte(column, l)] >> nibble_shift(l)) & 0xF;
  return nibble < 8 ? nibble : nibble - 16;
}

inline float block_scale(const std::uint8_t* block, int column) {
  std::uint16_t scale;
  std::memcpy(&scale, block + column * 2, sizeof(scale));
  return f32_from_bf16(scale);
}

/// Into a block of zeros.
inline void set_block_weight(std::uint8_t* block, int column, int l, int weight) {
  block[nibble_byte(column, l)] |= static_cast<std::uint8_t>((weight & 0xF) << nibble_shift(l));
}
inline void set_block_scale(std::uint8_t* block, int column, std::uint16_t bf16) {
  std::memcpy(block + column * 2, &bf16, sizeof(bf16));
}

}  // namespace kobolt::kernels
