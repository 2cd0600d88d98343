#include <algorithm>
#include <cmath>
#include <vector>

#include "kernels/head_attention.h"
#include "kernels/round_product.h"
#include "kernels/scalar.h"

namespace kobolt::kernels::scalar {
namespace {

/// Rounded values [length, head_dim] and their scales [head_dim].
struct RoundedValues {
  RoundedValues(const float* v, std::ptrdiff_t ld, int length, int head_dim)
      : width(static_cast<std::size_t>(head_dim)),
        values(static_cast<std::size_t>(length) * width) {
    constexpr auto kLimit = static_cast<float>(kValueLimitI16);
    for (int d = 0; d < head_dim; ++d) {
      float largest = 0.0F;
      float poison = 0.0F;
      for (int p = 0; p < length; ++p) {
        const float x = v[p * ld + d];
        poison += x * 0.0F;
        if (std::abs(x) > largest) largest = std::abs(x);
      }
      scales.push_back(largest / kLimit + poison);
      const float inverse = largest >= kSmallestMagnitude ? kLimit / largest : 0.0F;
      for (int p = 0; p < length; ++p) {
        const float rounded = round_product(v[p * ld + d], inverse);
        at(p, d) =
            std::abs(rounded) <= kLimit ? static_cast<std::int16_t>(rounded) : std::int16_t{0};
      }
    }
  }

  std::int16_t& at(int position, int d) {
    return values[static_cast<std::size_t>(position) * width + static_cast<std::size_t>(d)];
  }

  std::size_t width;
  std::vector<std::int16_t> values;
  std::vector<float> scales;
};

}  // namespace

void head_attention_i16(const float* q, const float* k, const float* v, std::ptrdiff_t ld,
                        int length, int head_dim, float scale, float* out, std::ptrdiff_t ldo,
                        float* scratch) {
  const std::ptrdiff_t width = 2 * static_cast<std::ptrdiff_t>(pairs(head_dim));
  std::vector<std::int16_t> keys(static_cast<std::size_t>(length * width));
  std::vector<float> key_scales(static_cast<std::size_t>(length));
  scalar::quantize_rows(k, ld, length, head_dim, keys.data(), width, key_scales.data());
  RoundedValues rounded(v, ld, length, head_dim);
  std::vector<std::int16_t> query(static_cast<std::size_t>(width));
  std::vector<std::int32_t> weights(static_cast<std::size_t>(length));
  for (int i = 0; i < length; ++i) {
    float query_scale = 0.0F;
    scalar::quantize_rows(q + i * ld, ld, 1, head_dim, query.data(), width, &query_scale);
    for (int p = 0; p < length; ++p) {
      std::int32_t sum = 0;
      for (int d = 0; d < head_dim; ++d) {
        sum += query[static_cast<std::size_t>(d)] * keys[static_cast<std::size_t>(p * width + d)];
      }
      scratch[p] = static_cast<float>(sum) * query_scale * key_scales[static_cast<std::size_t>(p)];
    }
    const float most = *std::max_element(scratch, scratch + length);
    float total = 0.0F;
    for (int p = 0; p < length; ++p) {
      scratch[p] = std::exp((scratch[p] - most) * scale);
      total += scratch[p];
    }
    const float limit = weight_limit_i16(1.0F / total, length);
    std::int32_t sum = 0;
    for (int p = 0; p < length; ++p) {
      weights[static_cast<std::size_t>(p)] =
          static_cast<std::int32_t>(round_product(scratch[p], limit));
      sum += weights[static_cast<std::size_t>(p)];
    }
    const float inverse = 1.0F / static_cast<float>(sum);
    for (int d = 0; d < head_dim; ++d) {
      std::int32_t value = 0;
      for (int p = 0; p < length; ++p) {
        value += weights[static_cast<std::size_t>(p)] * rounded.at(p, d);
      }
      out[i * ldo + d] =
          static_cast<float>(value) * inverse * rounded.scales[static_cast<std::size_t>(d)];
    }
  }
}

}  // namespace kobolt::kernels::scalar
