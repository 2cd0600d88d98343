#include <algorithm>
#include <cmath>
#include <limits>

#include "base/float16.h"
#include "kernels/logit_sink.h"
#include "kernels/round_product.h"
#include "kernels/scalar.h"

// One row times one panel at a time. The sixteen sums are the panel's columns.
namespace kobolt::kernels::scalar {

namespace {

void take(const LogitSink& sink, int row, int column, float logit) {
  float* sums = sink.sums + static_cast<std::ptrdiff_t>(row) * kPanel;
  float& shift = sink.shifts[row];
  if (logit > sink.far_above(row)) {
    const float next = LogitSink::shift_of(logit);
    const float scale = std::exp2(shift - next);
    for (int lane = 0; lane < kPanel; ++lane) sums[lane] *= scale;
    shift = next;
  }
  sums[column % kPanel] += std::exp2(kLog2E * logit - shift);
  sink.best[row].offer(logit, sink.first + column);
}

}  // namespace

void finish(const float* product, int row, int column, int columns, float* c, std::ptrdiff_t ldc,
            const Epilogue& epilogue) {
  for (int j = 0; j < columns; ++j) {
    float value = product[j];
    if (epilogue.bias != nullptr) value += epilogue.bias[column + j];
    if (epilogue.sink != nullptr) {
      take(*epilogue.sink, row, column + j, value);
      continue;
    }
    value = activation_of(epilogue.activation, value);
    if (epilogue.residual != nullptr) {
      value += epilogue.residual[row * epilogue.ld_residual + column + j];
    }
    c[row * ldc + column + j] = value;
  }
}

namespace {

float as_it_is(float value) { return value; }

/// The product of rows and weights that widen_row(value) and widen(stored value) make floats.
template <class WidenRow, class Row, class Widen, class Packed>
void gemm_of_floats(const WidenRow& widen_row, const Row* a, std::ptrdiff_t lda, int m,
                    const Widen& widen, const Packed& w, int panel_begin, int panel_end, float* c,
                    std::ptrdiff_t ldc, const Epilogue& epilogue) {
  for (int p = panel_begin; p < panel_end; ++p) {
    const auto* panel = w.data + static_cast<std::ptrdiff_t>(p) * w.k * kPanel;
    for (int i = 0; i < m; ++i) {
      float sums[kPanel] = {};
      for (int l = 0; l < w.k; ++l) {
        const float value = widen_row(a[i * lda + l]);
        for (int j = 0; j < kPanel; ++j) sums[j] += value * widen(panel[l * kPanel + j]);
      }
      finish(sums, i, p * kPanel, std::min(kPanel, w.n - p * kPanel), c, ldc, epilogue);
    }
  }
}

}  // namespace

void gemm_f32(const float* a, std::ptrdiff_t lda, int m, const PackedF32& w, int panel_begin,
              int panel_end, float* c, std::ptrdiff_t ldc, const Epilogue& epilogue) {
  gemm_of_floats(as_it_is, a, lda, m, as_it_is, w, panel_begin, panel_end, c, ldc, epilogue);
}

void gemm_f16(const float* a, std::ptrdiff_t lda, int m, const PackedF16& w, int panel_begin,
              int panel_end, float* c, std::ptrdiff_t ldc, const Epilogue& epilogue) {
  gemm_of_floats(as_it_is, a, lda, m, f32_from_f16, w, panel_begin, panel_end, c, ldc, epilogue);
}

void gemm_bf16(const float* a, std::ptrdiff_t lda, int m, const PackedBF16& w, int panel_begin,
               int panel_end, float* c, std::ptrdiff_t ldc, const Epilogue& epilogue) {
  gemm_of_floats(as_it_is, a, lda, m, f32_from_bf16, w, panel_begin, panel_end, c, ldc, epilogue);
}

void gemm_bf16_bf16(const std::uint16_t* a, std::ptrdiff_t lda, int m, const PackedBF16& w,
                    int panel_begin, int panel_end, float* c, std::ptrdiff_t ldc,
                    const Epilogue& epilogue) {
  gemm_of_floats(f32_from_bf16, a, lda, m, f32_from_bf16, w, panel_begin, panel_end, c, ldc,
                 epilogue);
}

void gemm_i8(const std::int16_t* a, std::ptrdiff_t lda, const float* a_scales, int m,
             const PackedI8& w, int panel_begin, int panel_end, float* c, std::ptrdiff_t ldc,
             const Epilogue& epilogue) {
  const int length = pairs(w.k);
  for (int p = panel_begin; p < panel_end; ++p) {
    const std::int8_t* panel = w.data + static_cast<std::ptrdiff_t>(p) * length * kPanel * 2;
    for (int i = 0; i < m; ++i) {
      std::int32_t sums[kPanel] = {};
      for (int l = 0; l < length; ++l) {
        const std::int32_t even = a[i * lda + 2 * l];
        const std::int32_t odd = a[i * lda + 2 * l + 1];
        const std::int8_t* pair = panel + l * kPanel * 2;
        for (int j = 0; j < kPanel; ++j) sums[j] += even * pair[2 * j] + odd * pair[2 * j + 1];
      }
      float products[kPanel];
      for (int j = 0; j < kPanel; ++j) {
        products[j] = static_cast<float>(sums[j]) * a_scales[i] * w.scales[p * kPanel + j];
      }
      finish(products, i, p * kPanel, std::min(kPanel, w.n - p * kPanel), c, ldc, epilogue);
    }
  }
}

void pack_f32(const float* w, std::ptrdiff_t ld, int n, int k, float* out) {
  for (int j = 0; j < padded(n); ++j) {
    float* panel = out + static_cast<std::ptrdiff_t>(j / kPanel) * k * kPanel;
    for (int l = 0; l < k; ++l) panel[l * kPanel + j % kPanel] = j < n ? w[j * ld + l] : 0.0F;
  }
}

void pack_f32_transposed(const float* w, std::ptrdiff_t ld, int n, int k, float* out) {
  for (int j = 0; j < padded(n); ++j) {
    float* panel = out + static_cast<std::ptrdiff_t>(j / kPanel) * k * kPanel;
    for (int l = 0; l < k; ++l) panel[l * kPanel + j % kPanel] = j < n ? w[l * ld + j] : 0.0F;
  }
}

void round_rows_bf16(const float* x, std::ptrdiff_t ldx, int m, int k, std::uint16_t* q,
                     std::ptrdiff_t ldq) {
  for (int i = 0; i < m; ++i) {
    for (int l = 0; l < 2 * pairs(k); ++l) {
      const float value = l < k ? x[i * ldx + l] : 0.0F;
      const bool subnormal = std::fpclassify(value) == FP_SUBNORMAL;
      q[i * ldq + l] = bf16_from_f32(subnormal ? std::copysign(0.0F, value) : value);
    }
  }
}

void quantize_rows(const float* x, std::ptrdiff_t ldx, int m, int k, std::int16_t* q,
                   std::ptrdiff_t ldq, float* scales) {
  const auto limit = static_cast<float>(activation_limit(k));
  for (int i = 0; i < m; ++i) {
    const float* row = x + i * ldx;
    std::int16_t* out = q + i * ldq;
    std::fill_n(out, 2 * pairs(k), std::int16_t{0});
    float largest = 0.0F;
    bool finite = true;
    for (int l = 0; l < k; ++l) {
      largest = std::max(largest, std::abs(row[l]));
      finite = finite && std::isfinite(row[l]);
    }
    if (!finite) {
      scales[i] = std::numeric_limits<float>::quiet_NaN();
      continue;
    }
    if (largest < kSmallestMagnitude) {
      scales[i] = 0.0F;
      continue;
    }
    scales[i] = largest / limit;
    const float inverse = limit / largest;
    for (int l = 0; l < k; ++l) {
      // largest * inverse may round to just above the limit, never as far as the next integer.
      out[l] = static_cast<std::int16_t>(round_product(row[l], inverse));
    }
  }
}

}  // namespace kobolt::kernels::scalar
