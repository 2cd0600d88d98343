#pragma once

#include <cstddef>
#include <vector>

#include "runtime/executor.h"

namespace kobolt {

/// Adds up X^T X of the rows X that flow into a layer: how large its inputs are and which go
/// together.
class InputMoments {
 public:
  /// Of every `stride`-th row.
  InputMoments(int columns, std::size_t stride, ThreadPool& pool)
      : columns_(columns), stride_(stride), pool_(&pool) {}

  /// Adds rows [m, columns] with row distance ld. Returns false, and adds nothing, where any of
  /// them has a number that is not finite.
  bool add(const float* rows, std::ptrdiff_t ld, int m);
  /// [columns, columns]; nothing more can be added.
  [[nodiscard]] std::vector<double> take();

 private:
  void flush();

  int columns_;
  std::size_t stride_;
  std::size_t seen_ = 0;
  ThreadPool* pool_;
  std::vector<float> rows_;  // that wait to be multiplied together
  std::vector<double> sums_;
};

}  // namespace kobolt
