#include <algorithm>
#include <cmath>
#include <vector>

#include "kernels/head_attention.h"
#include "kernels/round_product.h"
#include "kernels/scalar.h"

namespace kobolt::kernels::scalar {
namespace {

/// A matrix [rows, columns] in integers, rounded with a scale for each row or for each column.
struct RoundedMatrix {
  enum class Scales { of_rows, of_columns };

  RoundedMatrix(const float* x, std::ptrdiff_t ld, int rows, int columns, float limit, Scales which)
      : width(columns), values(static_cast<std::size_t>(rows) * static_cast<std::size_t>(columns)) {
    const bool of_rows = which == Scales::of_rows;
    const int count = of_rows ? rows : columns;
    const int length = of_rows ? columns : rows;
    const std::ptrdiff_t step = of_rows ? 1 : ld;
    for (int i = 0; i < count; ++i) {
      const float* from = x + i * (of_rows ? ld : 1);
      float largest = 0.0F;
      float poison = 0.0F;
      for (int j = 0; j < length; ++j) {
        const float value = from[j * step];
        poison += value * 0.0F;
        if (std::abs(value) > largest) largest = std::abs(value);
      }
      scales.push_back(largest / limit + poison);
      const float inverse = largest >= kSmallestMagnitude ? limit / largest : 0.0F;
      for (int j = 0; j < length; ++j) {
        const float rounded = round_product(from[j * step], inverse);
        const bool valid = std::abs(rounded) <= limit;
        (of_rows ? at(i, j) : at(j, i)) = valid ? static_cast<std::int32_t>(rounded) : 0;
      }
    }
  }

  std::int32_t& at(int row, int column) {
    return values[static_cast<std::size_t>(row) * static_cast<std::size_t>(width) +
                  static_cast<std::size_t>(column)];
  }

  int width;
  std::vector<std::int32_t> values;
  std::vector<float> scales;
};

/// How many steps the rounding of a head's parts has.
struct HeadLimits {
  float queries;  ///< and keys
  float values;
  /// What weights of 0..1 are multiplied by, given one over their sum.
  float (*weights)(float inverse_sum, int length);
};

void attend_head(const HeadLimits& limits, const float* q, const float* k, const float* v,
                 std::ptrdiff_t ld, int length, int head_dim, float scale, float* out,
                 std::ptrdiff_t ldo, float* scratch) {
  using Scales = RoundedMatrix::Scales;
  RoundedMatrix queries(q, ld, length, head_dim, limits.queries, Scales::of_rows);
  RoundedMatrix keys(k, ld, length, head_dim, limits.queries, Scales::of_rows);
  RoundedMatrix rounded(v, ld, length, head_dim, limits.values, Scales::of_columns);
  std::vector<std::int32_t> weights(static_cast<std::size_t>(length));
  for (int i = 0; i < length; ++i) {
    const float query_scale = queries.scales[static_cast<std::size_t>(i)];
    for (int p = 0; p < length; ++p) {
      std::int32_t sum = 0;
      for (int d = 0; d < head_dim; ++d) sum += queries.at(i, d) * keys.at(p, d);
      scratch[p] = static_cast<float>(sum) * query_scale * keys.scales[static_cast<std::size_t>(p)];
    }
    const float most = *std::max_element(scratch, scratch + length);
    float total = 0.0F;
    for (int p = 0; p < length; ++p) {
      scratch[p] = std::exp((scratch[p] - most) * scale);
      total += scratch[p];
    }
    const float limit = limits.weights(1.0F / total, length);
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

}  // namespace

void head_attention_i16(const float* q, const float* k, const float* v, std::ptrdiff_t ld,
                        int length, int head_dim, float scale, float* out, std::ptrdiff_t ldo,
                        float* scratch) {
  const HeadLimits limits{static_cast<float>(activation_limit(head_dim)),
                          static_cast<float>(kValueLimitI16), weight_limit_i16};
  attend_head(limits, q, k, v, ld, length, head_dim, scale, out, ldo, scratch);
}

void head_attention_i8(const float* q, const float* k, const float* v, std::ptrdiff_t ld,
                       int length, int head_dim, float scale, float* out, std::ptrdiff_t ldo,
                       float* scratch) {
  const HeadLimits limits{kByteLimit, kByteLimit, [](float, int) { return kWeightLimitU8; }};
  attend_head(limits, q, k, v, ld, length, head_dim, scale, out, ldo, scratch);
}

}  // namespace kobolt::kernels::scalar
