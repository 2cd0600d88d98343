#include "quantize/row_sample.h"

#include <algorithm>

namespace kobolt {

void RowSample::add(const float* row) {
  if (seen_++ % stride_ != 0) return;
  if (rows_ == most_) {
    thin_out();
    if ((seen_ - 1) % stride_ != 0) return;
  }
  values_.insert(values_.end(), row, row + columns_);
  ++rows_;
}

void RowSample::thin_out() {
  rows_ = (rows_ + 1) / 2;
  for (int i = 1; i < rows_; ++i) {
    const auto from = values_.begin() + static_cast<std::ptrdiff_t>(2 * i) * columns_;
    std::copy_n(from, columns_, values_.begin() + static_cast<std::ptrdiff_t>(i) * columns_);
  }
  values_.resize(static_cast<std::size_t>(rows_) * static_cast<std::size_t>(columns_));
  stride_ *= 2;
}

}  // namespace kobolt
