#include "quantize/input_moments.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "kernels/kernels.h"

namespace kobolt {
namespace {

// Rows multiplied together: enough that adding up products costs little beside them.
constexpr std::size_t kRows = 512;

}  // namespace

bool InputMoments::add(const float* rows, std::ptrdiff_t ld, int m) {
  for (int i = 0; i < m; ++i) {
    const float* row = rows + i * ld;
    if (!std::all_of(row, row + columns_, [](float x) { return std::isfinite(x); })) return false;
  }
  const auto columns = static_cast<std::size_t>(columns_);
  for (int i = 0; i < m; ++i) {
    if (seen_++ % stride_ != 0) continue;
    const float* row = rows + i * ld;
    rows_.insert(rows_.end(), row, row + columns_);
    if (rows_.size() == kRows * columns) flush();
  }
  return true;
}

std::vector<double> InputMoments::take() {
  flush();
  rows_ = {};
  return std::exchange(sums_, {});
}

void InputMoments::flush() {
  const auto columns = static_cast<std::size_t>(columns_);
  sums_.resize(columns * columns);
  const int m = static_cast<int>(rows_.size() / columns);
  if (m == 0) return;
  std::vector<float> transposed(rows_.size());
  for (int i = 0; i < m; ++i) {
    for (int j = 0; j < columns_; ++j) {
      transposed[static_cast<std::size_t>(j) * static_cast<std::size_t>(m) +
                 static_cast<std::size_t>(i)] =
          rows_[static_cast<std::size_t>(i) * columns + static_cast<std::size_t>(j)];
    }
  }
  AlignedVector<float> packed(kernels::packed_f32_size(columns_, m));
  kernels::pack_f32_transposed(rows_.data(), columns_, columns_, m, packed.data());
  std::vector<float> product(columns * columns);
  const Linear linear{.weight = kernels::PackedF32{.data = packed.data(), .n = columns_, .k = m}};
  Executor executor(*pool_, RowFormat::floats);
  executor.linear(executor.operand(transposed.data(), m, columns_, m), linear,
                  {.y = product.data(), .ldy = columns_});
  for (std::size_t i = 0; i < sums_.size(); ++i) sums_[i] += static_cast<double>(product[i]);
  rows_.clear();
}

}  // namespace kobolt
