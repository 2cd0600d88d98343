#include <algorithm>
#include <cmath>
#include <vector>

#include "base/float16.h"
#include "kernels/scalar.h"

namespace kobolt::kernels::scalar {
namespace {

/// Scale of a run of values whose sum of x * 0 is `poison`: NaN if any of them is no number.
float scale_of(float largest, float poison) { return largest / 127.0F + poison; }
float inverse_of(float largest) { return largest >= kSmallestMagnitude ? 127.0F / largest : 0.0F; }

std::int8_t narrow(float x, float inverse) {
  const float q = std::nearbyint(x * inverse);
  return std::abs(q) <= 127.0F ? static_cast<std::int8_t>(q) : std::int8_t{0};
}

template <class Key, class Value>
void step(const float* q, const Key& key, const Value& value, int length, int heads, int head_dim,
          float scale, float* out, float* scratch) {
  for (int h = 0; h < heads; ++h) {
    float* scores = scratch + static_cast<std::ptrdiff_t>(h) * length;
    const int begin = h * head_dim;
    for (int p = 0; p < length; ++p) {
      float sum = 0.0F;
      for (int d = begin; d < begin + head_dim; ++d) sum += q[d] * key(p, h, d);
      scores[p] = sum * scale;
    }
    scalar::softmax(scores, length, 1, length);
    for (int d = begin; d < begin + head_dim; ++d) {
      float sum = 0.0F;
      for (int p = 0; p < length; ++p) sum += scores[p] * value(p, h, d);
      out[d] = sum;
    }
  }
}

}  // namespace

void narrow_f16(const float* x, std::size_t count, std::uint16_t* out) {
  std::transform(x, x + count, out, f16_from_f32);
}

void narrow_panels_i8(const float* packed, int n, int k, std::int8_t* out, float* scales) {
  for (int j = 0; j < padded(n); ++j) {
    const std::ptrdiff_t panel = static_cast<std::ptrdiff_t>(j / kPanel) * kPanel;
    const float* column = packed + panel * k + j % kPanel;
    std::int8_t* to = out + panel * 2 * pairs(k) + std::ptrdiff_t{2} * (j % kPanel);
    float largest = 0.0F;
    float poison = 0.0F;
    for (std::ptrdiff_t i = 0; i < k; ++i) {
      const float x = column[i * kPanel];
      poison += x * 0.0F;
      if (std::abs(x) > largest) largest = std::abs(x);
    }
    scales[j] = scale_of(largest, poison);
    const float inverse = inverse_of(largest);
    for (std::ptrdiff_t i = 0; i < std::ptrdiff_t{2} * pairs(k); ++i) {
      to[i / 2 * 2 * kPanel + i % 2] = i < k ? narrow(column[i * kPanel], inverse) : std::int8_t{0};
    }
  }
}

void narrow_heads_i8(const float* x, int heads, int head_dim, std::int8_t* out, float* scales) {
  for (int h = 0; h < heads; ++h) {
    const float* head = x + static_cast<std::ptrdiff_t>(h) * head_dim;
    std::int8_t* to = out + static_cast<std::ptrdiff_t>(h) * head_dim;
    float largest = 0.0F;
    float poison = 0.0F;
    for (int d = 0; d < head_dim; ++d) {
      poison += head[d] * 0.0F;
      if (std::abs(head[d]) > largest) largest = std::abs(head[d]);
    }
    scales[h] = scale_of(largest, poison);
    const float inverse = inverse_of(largest);
    for (int d = 0; d < head_dim; ++d) to[d] = narrow(head[d], inverse);
  }
}

void attention_f16(const float* q, std::ptrdiff_t ldq, int m, const PackedF16& keys,
                   const PackedF16& values, float scale, float* out, std::ptrdiff_t ldo,
                   float* scratch) {
  const int length = keys.n;
  for (int i = 0; i < m; ++i) {
    scalar::gemm_f16(q + i * ldq, ldq, 1, keys, 0, panels(length), scratch, length, {});
    for (int p = 0; p < length; ++p) scratch[p] *= scale;
    scalar::softmax(scratch, length, 1, length);
    scalar::gemm_f16(scratch, length, 1, values, 0, panels(values.n), out + i * ldo, ldo, {});
  }
}

void attention_i8(const float* q, std::ptrdiff_t ldq, int m, const PackedI8& keys,
                  const PackedI8& values, float scale, float* out, std::ptrdiff_t ldo,
                  float* scratch) {
  const int length = keys.n;
  std::vector<std::int16_t> quantized(
      2 * static_cast<std::size_t>(std::max(pairs(keys.k), pairs(length))));
  float row_scale = 0.0F;
  for (int i = 0; i < m; ++i) {
    scalar::quantize_rows(q + i * ldq, ldq, 1, keys.k, quantized.data(), 0, &row_scale);
    scalar::gemm_i8(quantized.data(), 0, &row_scale, 1, keys, 0, panels(length), scratch, length,
                    {});
    for (int p = 0; p < length; ++p) scratch[p] *= scale;
    scalar::softmax(scratch, length, 1, length);
    scalar::quantize_rows(scratch, length, 1, length, quantized.data(), 0, &row_scale);
    scalar::gemm_i8(quantized.data(), 0, &row_scale, 1, values, 0, panels(values.n), out + i * ldo,
                    ldo, {});
  }
}

void attention_step_f16(const float* q, const std::uint16_t* keys, const std::uint16_t* values,
                        std::ptrdiff_t ld, const std::int32_t* rows, int length, int heads,
                        int head_dim, float scale, float* out, float* scratch) {
  const auto at = [ld, rows](const std::uint16_t* data) {
    return [=](int p, int, int d) { return f32_from_f16(data[rows[p] * ld + d]); };
  };
  step(q, at(keys), at(values), length, heads, head_dim, scale, out, scratch);
}

void attention_step_i8(const float* q, const CacheRowsI8& keys, const CacheRowsI8& values,
                       const std::int32_t* rows, int length, int heads, int head_dim, float scale,
                       float* out, float* scratch) {
  const auto at = [rows](const CacheRowsI8& cache) {
    return [&cache, rows](int p, int h, int d) {
      return cache.scales[rows[p] * cache.ld_scales + h] *
             static_cast<float>(cache.data[rows[p] * cache.ld + d]);
    };
  };
  step(q, at(keys), at(values), length, heads, head_dim, scale, out, scratch);
}

}  // namespace kobolt::kernels::scalar
