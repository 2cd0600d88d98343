#pragma once

#include "kernels/kernels.h"

/// Keys and values that a decoder keeps, in fewer bits than float32: binary16, or int8 with a scale
/// for each key, value column or head. Conventions are those of kernels.h.
///
/// Cross-attention's cache is read once a step for all beams of a document; in an int8 engine it
/// would otherwise be a fifth of all bytes of a step (docs/performance.md).
namespace kobolt::kernels {

/// Rounds count values to binary16, to nearest even. In place of PackedF32's data this gives
/// PackedF16's.
void narrow_f16(const float* x, std::size_t count, std::uint16_t* out);

/// Turns the data of a PackedF32 W [n, k] into that of a PackedI8: scales[j] = max|W[j, :]| / 127,
/// values rounded to nearest even. A column with a NaN or an infinity gets scale NaN, so that
/// whatever is computed from it is NaN. `out` holds packed_i8_size(n, k), `scales` padded(n).
void narrow_panels_i8(const float* packed, int n, int k, std::int8_t* out, float* scales);

/// One cached position: x [heads * head_dim] to int8 with one scale a head, as above.
void narrow_heads_i8(const float* x, int heads, int head_dim, std::int8_t* out, float* scales);

/// attention() over a cache in binary16; `scratch` holds attention_scratch(m, length) floats.
void attention_f16(const float* q, std::ptrdiff_t ldq, int m, const PackedF16& keys,
                   const PackedF16& values, float scale, float* out, std::ptrdiff_t ldo,
                   float* scratch);

/// attention() over a cache in int8: queries and weights are quantised to 12 bits a row on the way.
/// `scratch` holds attention_scratch_i8(m, length, head_dim) floats.
void attention_i8(const float* q, std::ptrdiff_t ldq, int m, const PackedI8& keys,
                  const PackedI8& values, float scale, float* out, std::ptrdiff_t ldo,
                  float* scratch);
std::size_t attention_scratch_i8(int m, int length, int head_dim);

/// attention_step() over rows in binary16.
void attention_step_f16(const float* q, const std::uint16_t* keys, const std::uint16_t* values,
                        std::ptrdiff_t ld, const std::int32_t* rows, int length, int heads,
                        int head_dim, float scale, float* out, float* scratch);

/// Rows of a self-attention cache in int8: row r at data + r * ld, its scales, one a head, at
/// scales + r * ld_scales.
struct CacheRowsI8 {
  const std::int8_t* data = nullptr;
  const float* scales = nullptr;
  std::ptrdiff_t ld = 0;
  std::ptrdiff_t ld_scales = 0;
};
/// attention_step() over rows in int8.
void attention_step_i8(const float* q, const CacheRowsI8& keys, const CacheRowsI8& values,
                       const std::int32_t* rows, int length, int heads, int head_dim, float scale,
                       float* out, float* scratch);

}  // namespace kobolt::kernels
