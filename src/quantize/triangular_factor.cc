#include "quantize/triangular_factor.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>

namespace kobolt {
namespace {

// Columns that are finished together, so that the rest of each row is read once for all of them.
constexpr int kColumns = 64;
// Rows of one task.
constexpr int kRows = 16;

double dot(const double* a, const double* b, int n) {
  std::array<double, 8> sums{};  // of independent sums, for vector instructions
  int i = 0;
  for (; i + 8 <= n; i += 8) {
    for (int lane = 0; lane < 8; ++lane) {
      sums[static_cast<std::size_t>(lane)] += a[i + lane] * b[i + lane];
    }
  }
  double sum = 0;
  for (; i < n; ++i) sum += a[i] * b[i];
  for (const double lane : sums) sum += lane;
  return sum;
}

/// Row i of the columns [begin, end), right to left; those of the rows below are finished, and so
/// are the columns from `end` on.
void finish_row(double* h, int k, int i, int begin, int end, double least) {
  double* row = h + static_cast<std::ptrdiff_t>(i) * k;
  for (int j = end - 1; j >= std::max(begin, i); --j) {
    const double* other = h + static_cast<std::ptrdiff_t>(j) * k;
    const double rest = row[j] - dot(row + j + 1, other + j + 1, k - j - 1);
    row[j] = j == i ? std::sqrt(std::max(rest, least)) : rest / other[j];
  }
}

}  // namespace

void factor_from_below(std::span<double> h, int k, double least, ThreadPool& pool) {
  for (int end = k; end > 0; end = std::max(0, end - kColumns)) {
    const int begin = std::max(0, end - kColumns);
    for (int i = end - 1; i >= begin; --i) finish_row(h.data(), k, i, begin, end, least);
    const int tasks = (begin + kRows - 1) / kRows;
    pool.parallel_for(tasks, [&](int task, int) {
      for (int i = task * kRows; i < std::min(begin, (task + 1) * kRows); ++i) {
        finish_row(h.data(), k, i, begin, end, least);
      }
    });
  }
}

}  // namespace kobolt
