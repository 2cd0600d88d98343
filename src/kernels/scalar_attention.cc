#include "kernels/scalar.h"

namespace kobolt::kernels::scalar {

void attention(const float* q, std::ptrdiff_t ldq, int m, const PackedF32& keys,
               const PackedF32& values, float scale, float* out, std::ptrdiff_t ldo,
               float* scratch) {
  const int length = keys.n;
  for (int i = 0; i < m; ++i) {
    scalar::gemm_f32(q + i * ldq, ldq, 1, keys, 0, panels(length), scratch, length, {});
    for (int p = 0; p < length; ++p) scratch[p] *= scale;
    scalar::softmax(scratch, length, 1, length);
    scalar::gemm_f32(scratch, length, 1, values, 0, panels(values.n), out + i * ldo, ldo, {});
  }
}

void attention_step(const float* q, const float* keys, const float* values, std::ptrdiff_t ld,
                    const std::int32_t* rows, int length, int heads, int head_dim, float scale,
                    float* out, float* scratch) {
  for (int h = 0; h < heads; ++h) {
    const int begin = h * head_dim;
    float* scores = scratch + static_cast<std::ptrdiff_t>(h) * length;
    for (int p = 0; p < length; ++p) {
      const float* key = keys + rows[p] * ld;
      float sum = 0.0F;
      for (int d = begin; d < begin + head_dim; ++d) sum += q[d] * key[d];
      scores[p] = sum * scale;
    }
    scalar::softmax(scores, length, 1, length);
    for (int d = begin; d < begin + head_dim; ++d) {
      float sum = 0.0F;
      for (int p = 0; p < length; ++p) sum += scores[p] * values[rows[p] * ld + d];
      out[d] = sum;
    }
  }
}

}  // namespace kobolt::kernels::scalar
