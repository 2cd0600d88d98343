#pragma once

#include <cstddef>

#include "base/aligned.h"

namespace kobolt {

/// Activations or their gradients in row-major order, a row a token.
struct Matrix {
  Matrix() = default;
  /// Elements are not initialised.
  Matrix(int row_count, int column_count)
      : rows(row_count),
        columns(column_count),
        values(static_cast<std::size_t>(row_count) * static_cast<std::size_t>(column_count)) {}

  [[nodiscard]] float* row(int i) {
    return values.data() + static_cast<std::ptrdiff_t>(i) * columns;
  }
  [[nodiscard]] const float* row(int i) const {
    return values.data() + static_cast<std::ptrdiff_t>(i) * columns;
  }

  int rows = 0;
  int columns = 0;
  AlignedVector<float> values;
};

}  // namespace kobolt
