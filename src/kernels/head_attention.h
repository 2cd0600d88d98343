#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>

/// Attention of an encoder's head in integers. Conventions are those of kernels.h.
namespace kobolt::kernels {

/// What a sum of 32 bits has room for. Longer heads and documents are left to attention().
inline constexpr int kMostHeadDimInteger = 512;
inline constexpr int kMostLengthInteger = 1 << 16;

/// Attention of all positions of a document to each other, for one head:
/// out = softmax(q . K^T * scale) . V, all [length, head_dim]; rows of q, k and v are `ld` apart,
/// those of out `ldo`.
///
/// All products are of int16 in pairs: twice as fast as those of floats, where the processor has
/// AVX512_VNNI. Queries and keys are rounded to 12 bits with a scale for each position, values to
/// 11 bits with a scale for each feature. Weights have as many bits, up to 15, as their sum leaves
/// room for, so that a position that takes nearly all attention does not erase the others.
/// What is computed from a NaN or an infinity is no meaningful number.
/// `scratch` holds head_attention_i16_scratch(length, head_dim) floats.
void head_attention_i16(const float* q, const float* k, const float* v, std::ptrdiff_t ld,
                        int length, int head_dim, float scale, float* out, std::ptrdiff_t ldo,
                        float* scratch);
std::size_t head_attention_i16_scratch(int length, int head_dim);

/// The same in products of bytes, for where prefers_byte_rows() says so: there these are twice as
/// fast again. Queries, keys and values are rounded to 8 bits, with scales as above; weights to
/// 0..255 of the largest of their row, so what is below a 510th of it counts nothing.
/// `scratch` holds head_attention_i8_scratch(length, head_dim) floats.
void head_attention_i8(const float* q, const float* k, const float* v, std::ptrdiff_t ld,
                       int length, int head_dim, float scale, float* out, std::ptrdiff_t ldo,
                       float* scratch);
std::size_t head_attention_i8_scratch(int length, int head_dim);

/// Largest magnitude of a byte that is rounded from a query, key or value.
inline constexpr float kByteLimit = 127.0F;
/// Weight of the position with most attention.
inline constexpr float kWeightLimitU8 = 255.0F;

/// Largest magnitude of a rounded value.
inline constexpr int kValueLimitI16 = 1023;

/// What the sum of rounded weights may be: then sums of their products with rounded values fit into
/// 32 bits.
inline float weight_room_i16(int length) {
  constexpr int kMost = std::numeric_limits<std::int32_t>::max() / kValueLimitI16;
  // Rounding adds half of one to each at most; a hundredth is far more than floats are off by.
  return 0.99F * (static_cast<float>(kMost) - 0.5F * static_cast<float>(length));
}

/// Largest rounded weight.
inline constexpr float kWeightLimitI16 = 32767.0F;

/// What weights of 0..1 are multiplied by before they are rounded, if one over their sum is
/// `inverse_sum`.
inline float weight_limit_i16(float inverse_sum, int length) {
  return std::min(kWeightLimitI16, weight_room_i16(length) * inverse_sum);
}

}  // namespace kobolt::kernels
