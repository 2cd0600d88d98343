#pragma once

#include <span>

#include "runtime/thread_pool.h"

namespace kobolt {

/// R, upper triangular, of H = R R^T for a symmetric positive definite H [k, k]: Cholesky's
/// decomposition from the last row up. Reads and overwrites the upper triangle of `h`. `least` is
/// known to be no larger than H's eigenvalues: where rounding takes a pivot below it, it counts as
/// that.
void factor_from_below(std::span<double> h, int k, double least, ThreadPool& pool);

}  // namespace kobolt
