#include <algorithm>

#include "base/float16.h"
#include "kernels/scalar.h"

namespace kobolt::kernels::scalar {
namespace {

float same(float value) { return value; }

/// widen_row(value) and widen(stored value) make floats of rows and of weights.
template <class WidenRow, class Row, class Widen, class Packed>
void gemm_sparse_floats(const WidenRow& widen_row, const Row* a, std::ptrdiff_t lda, int m,
                        const Widen& widen, const Sparse<Packed>& w, int panel_begin, int panel_end,
                        float* c, std::ptrdiff_t ldc, const Epilogue& epilogue) {
  for (int p = panel_begin; p < panel_end; ++p) {
    for (int i = 0; i < m; ++i) {
      const Row* row = a + i * lda;
      float sums[kPanel] = {};
      visit_kept(w, p,
                 [&](int l, int j, auto value) { sums[j] += widen_row(row[l]) * widen(value); });
      finish(sums, i, p * kPanel, std::min(kPanel, w.kept.n - p * kPanel), c, ldc, epilogue);
    }
  }
}

/// activation(row, l): the quantised one.
template <class ActivationAt>
void gemm_sparse_integers(const ActivationAt& activation, const float* a_scales, int m,
                          const SparseI8& w, int panel_begin, int panel_end, float* c,
                          std::ptrdiff_t ldc, const Epilogue& epilogue) {
  for (int p = panel_begin; p < panel_end; ++p) {
    for (int i = 0; i < m; ++i) {
      std::int32_t sums[kPanel] = {};
      visit_kept(w, p,
                 [&](int l, int j, std::int8_t value) { sums[j] += activation(i, l) * value; });
      float products[kPanel];
      for (int j = 0; j < kPanel; ++j) {
        products[j] = static_cast<float>(sums[j]) * a_scales[i] * w.kept.scales[p * kPanel + j];
      }
      finish(products, i, p * kPanel, std::min(kPanel, w.kept.n - p * kPanel), c, ldc, epilogue);
    }
  }
}

}  // namespace

void gemm_sparse_f32(const float* a, std::ptrdiff_t lda, int m, const SparseF32& w, int panel_begin,
                     int panel_end, float* c, std::ptrdiff_t ldc, const Epilogue& epilogue) {
  gemm_sparse_floats(same, a, lda, m, same, w, panel_begin, panel_end, c, ldc, epilogue);
}

void gemm_sparse_f16(const float* a, std::ptrdiff_t lda, int m, const SparseF16& w, int panel_begin,
                     int panel_end, float* c, std::ptrdiff_t ldc, const Epilogue& epilogue) {
  gemm_sparse_floats(same, a, lda, m, f32_from_f16, w, panel_begin, panel_end, c, ldc, epilogue);
}

void gemm_sparse_bf16(const float* a, std::ptrdiff_t lda, int m, const SparseBF16& w,
                      int panel_begin, int panel_end, float* c, std::ptrdiff_t ldc,
                      const Epilogue& epilogue) {
  gemm_sparse_floats(same, a, lda, m, f32_from_bf16, w, panel_begin, panel_end, c, ldc, epilogue);
}

void gemm_sparse_bf16_bf16(const std::uint16_t* a, std::ptrdiff_t lda, int m, const SparseBF16& w,
                           int panel_begin, int panel_end, float* c, std::ptrdiff_t ldc,
                           const Epilogue& epilogue) {
  gemm_sparse_floats(f32_from_bf16, a, lda, m, f32_from_bf16, w, panel_begin, panel_end, c, ldc,
                     epilogue);
}

void gemm_sparse_i8(const std::int16_t* a, std::ptrdiff_t lda, const float* a_scales, int m,
                    const SparseI8& w, int panel_begin, int panel_end, float* c, std::ptrdiff_t ldc,
                    const Epilogue& epilogue) {
  const auto activation = [&](int row, int l) { return std::int32_t{a[row * lda + l]}; };
  gemm_sparse_integers(activation, a_scales, m, w, panel_begin, panel_end, c, ldc, epilogue);
}

void gemm_sparse_u8_i8(const RowsU8& a, int m, const SparseI8& w, int panel_begin, int panel_end,
                       float* c, std::ptrdiff_t ldc, const Epilogue& epilogue) {
  const auto activation = [&](int row, int l) { return a.data[row * a.ld + l] - a.zeros[row]; };
  gemm_sparse_integers(activation, a.scales, m, w, panel_begin, panel_end, c, ldc, epilogue);
}

}  // namespace kobolt::kernels::scalar
