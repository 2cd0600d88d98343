#pragma once

#include <span>

#include "gradient/matrix.h"
#include "gradient/parameters.h"
#include "kernels/kernels.h"
#include "runtime/executor.h"

namespace kobolt {

/// The matrix products of training steps by the kernels of inference, over all threads. Weights are
/// packed anew for every product, which is little beside a product of hundreds of rows and leaves
/// memory to one packed matrix at a time.
class Products {
 public:
  explicit Products(ThreadPool& pool) : executor_(pool, RowFormat::floats) {}

  [[nodiscard]] Executor& executor() { return executor_; }

  /// x [m, k] . W^T + b.
  Matrix linear(const Matrix& x, const LinearParameters& linear);
  /// dx += dy . W and, where it is asked for, dW += dy^T . x.
  void linear_backward(const Matrix& x, const LinearParameters& linear, const Matrix& dy,
                       Matrix& dx);

  /// W [n, k], row-major, packed into `storage`.
  kernels::PackedF32 pack(const MatrixParameter& w, AlignedVector<float>& storage);
  /// The transpose of w [k, n], row-major, packed into `storage` as a weight [n, k].
  kernels::PackedF32 pack_transpose(const float* w, int n, int k, AlignedVector<float>& storage);
  /// y [m, n] = x . W^T + bias (padded, or null) + y where `add`.
  void multiply(const Matrix& x, const kernels::PackedF32& w, const float* bias, bool add,
                Matrix& y);
  /// gradient [n, k] += dy^T . x for dy [m, n] and x [m, k].
  void add_weight_gradient(const Matrix& dy, const Matrix& x, float* gradient);

 private:
  void multiply(const Operand& x, const kernels::PackedF32& w, const float* bias, bool add,
                float* y);

  Executor executor_;
  AlignedVector<float> packed_;
  AlignedVector<float> transposed_;
};

}  // namespace kobolt
