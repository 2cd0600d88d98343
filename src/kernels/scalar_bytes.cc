#include <algorithm>
#include <cmath>
#include <limits>

#include "kernels/block4.h"
#include "kernels/bytes.h"
#include "kernels/round_product.h"
#include "kernels/scalar.h"

namespace kobolt::kernels::scalar {

void quantize_rows_u8(const float* x, std::ptrdiff_t ldx, int m, int k, std::uint8_t* q,
                      std::ptrdiff_t ldq, float* scales, std::int32_t* zeros) {
  const auto limit = static_cast<float>(byte_limit(k));
  for (int i = 0; i < m; ++i) {
    const float* row = x + i * ldx;
    std::uint8_t* out = q + i * ldq;
    std::fill_n(out, 4 * quads(k), std::uint8_t{0});
    float least = 0.0F;
    float most = 0.0F;
    bool finite = true;
    for (int l = 0; l < k; ++l) {
      least = std::min(least, row[l]);
      most = std::max(most, row[l]);
      finite = finite && std::isfinite(row[l]);
    }
    zeros[i] = 0;
    scales[i] = finite ? 0.0F : std::numeric_limits<float>::quiet_NaN();
    if (!finite || std::max(most, -least) < kSmallestMagnitude) continue;
    // Each part is divided, because the range of two large numbers may be no number.
    const float step = most / limit - least / limit;
    const float inverse = 1.0F / step;
    const float zero = std::nearbyint(-least * inverse);
    scales[i] = step;
    zeros[i] = static_cast<std::int32_t>(zero);
    for (int l = 0; l < k; ++l) {
      const float value = round_product(row[l], inverse) + zero;
      out[l] = static_cast<std::uint8_t>(std::clamp(value, 0.0F, limit));
    }
  }
}

void sum_columns(const PackedI8& w, std::int32_t* sums) {
  const std::ptrdiff_t length = pairs(w.k);
  std::fill_n(sums, padded(w.n), 0);
  for (int p = 0; p < panels(w.n); ++p) {
    const std::int8_t* panel = w.data + p * length * kPanel * 2;
    for (std::ptrdiff_t l = 0; l < length * kPanel * 2; ++l) {
      sums[p * kPanel + l / 2 % kPanel] += panel[l];
    }
  }
}

void gemm_u8_i8(const RowsU8& a, int m, const PackedI8& w, int panel_begin, int panel_end, float* c,
                std::ptrdiff_t ldc, const Epilogue& epilogue) {
  const int length = pairs(w.k);
  for (int p = panel_begin; p < panel_end; ++p) {
    const std::int8_t* panel = w.data + static_cast<std::ptrdiff_t>(p) * length * kPanel * 2;
    for (int i = 0; i < m; ++i) {
      std::int32_t sums[kPanel] = {};
      for (int l = 0; l < w.k; ++l) {
        const std::int32_t value = a.data[i * a.ld + l] - a.zeros[i];
        const std::int8_t* weights = panel + l / 2 * kPanel * 2 + l % 2;
        for (int j = 0; j < kPanel; ++j) sums[j] += value * weights[2 * j];
      }
      float products[kPanel];
      for (int j = 0; j < kPanel; ++j) {
        products[j] = static_cast<float>(sums[j]) * a.scales[i] * w.scales[p * kPanel + j];
      }
      finish(products, i, p * kPanel, std::min(kPanel, w.n - p * kPanel), c, ldc, epilogue);
    }
  }
}

void gemm_u8_i4(const RowsU8& a, int m, const PackedI4& w, int panel_begin, int panel_end, float* c,
                std::ptrdiff_t ldc, const Epilogue& epilogue) {
  for (int p = panel_begin; p < panel_end; ++p) {
    const std::uint8_t* panel = w.data + static_cast<std::ptrdiff_t>(p) * groups(w.k) * kBlock4;
    for (int i = 0; i < m; ++i) {
      float sums[kPanel] = {};
      float column_sums[kPanel] = {};
      for (int g = 0; g < groups(w.k); ++g) {
        const std::uint8_t* block = panel + static_cast<std::ptrdiff_t>(g) * kBlock4;
        const std::uint8_t* row = a.data + i * a.ld + static_cast<std::ptrdiff_t>(g) * kGroup4;
        for (int j = 0; j < kPanel; ++j) {
          std::int32_t products = 0;
          std::int32_t weights = 0;
          for (int l = 0; l < kGroup4; ++l) {
            const int weight = block_weight(block, j, l);
            products += row[l] * weight;
            weights += weight;
          }
          sums[j] += static_cast<float>(products) * block_scale(block, j);
          column_sums[j] += static_cast<float>(weights) * block_scale(block, j);
        }
      }
      for (int j = 0; j < kPanel; ++j) {
        sums[j] = (sums[j] - static_cast<float>(a.zeros[i]) * column_sums[j]) * a.scales[i];
      }
      finish(sums, i, p * kPanel, std::min(kPanel, w.n - p * kPanel), c, ldc, epilogue);
    }
  }
}

}  // namespace kobolt::kernels::scalar
