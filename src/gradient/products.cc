#include "gradient/products.h"

#include <algorithm>
#include <cassert>

namespace kobolt {

kernels::PackedF32 Products::pack(const MatrixParameter& w, AlignedVector<float>& storage) {
  const int n = w.rows;
  const int k = w.columns;
  float* out = reserve(storage, kernels::packed_f32_size(n, k));
  executor_.rows(kernels::panels(n), std::int64_t{kernels::kPanel} * k,
                 [&](int begin, int end, int) {
                   const int first = begin * kernels::kPanel;
                   kernels::pack_f32(w.row(first), k, std::min(end * kernels::kPanel, n) - first, k,
                                     out + static_cast<std::ptrdiff_t>(first) * k);
                 });
  return {.data = out, .n = n, .k = k};
}

kernels::PackedF32 Products::pack_transpose(const float* w, int n, int k,
                                            AlignedVector<float>& storage) {
  float* out = reserve(storage, kernels::packed_f32_size(n, k));
  executor_.rows(
      kernels::panels(n), std::int64_t{kernels::kPanel} * k, [&](int begin, int end, int) {
        const int first = begin * kernels::kPanel;
        kernels::pack_f32_transposed(w + first, n, std::min(end * kernels::kPanel, n) - first, k,
                                     out + static_cast<std::ptrdiff_t>(first) * k);
      });
  return {.data = out, .n = n, .k = k};
}

void Products::multiply(const Operand& x, const kernels::PackedF32& w, const float* bias, bool add,
                        float* y) {
  assert(x.k == w.k);
  executor_.linear(x, {.weight = w, .bias = bias},
                   {.y = y, .ldy = w.n, .residual = add ? y : nullptr});
}

void Products::multiply(const Matrix& x, const kernels::PackedF32& w, const float* bias, bool add,
                        Matrix& y) {
  multiply(executor_.operand(x.values.data(), x.columns, x.rows, x.columns), w, bias, add,
           y.values.data());
}

Matrix Products::linear(const Matrix& x, const LinearParameters& linear) {
  Matrix y(x.rows, linear.weight.rows);
  multiply(x, pack(linear.weight, packed_), linear.bias.data(), false, y);
  return y;
}

void Products::linear_backward(const Matrix& x, const LinearParameters& linear, const Matrix& dy,
                               Matrix& dx) {
  const MatrixParameter& w = linear.weight;
  multiply(dy, pack_transpose(w.values, w.columns, w.rows, packed_), nullptr, true, dx);
  if (w.gradient != nullptr) add_weight_gradient(dy, x, w.gradient);
}

void Products::add_weight_gradient(const Matrix& dy, const Matrix& x, float* gradient) {
  const int m = dy.rows;
  const int n = dy.columns;
  float* transposed = reserve(transposed_, dy.values.size());
  executor_.rows(n, m, [&](int begin, int end, int) {
    for (int i = 0; i < m; ++i) {
      const float* row = dy.row(i);
      for (int j = begin; j < end; ++j) transposed[static_cast<std::ptrdiff_t>(j) * m + i] = row[j];
    }
  });
  const kernels::PackedF32 packed = pack_transpose(x.values.data(), x.columns, m, packed_);
  multiply(executor_.operand(transposed, m, n, m), packed, nullptr, true, gradient);
}

}  // namespace kobolt
