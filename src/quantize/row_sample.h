#pragma once

#include <cstddef>
#include <vector>

namespace kobolt {

/// Some rows of a stream whose length nobody knows, evenly spread over it: every 2^i-th, with i
/// such that there are between half of the most and the most.
class RowSample {
 public:
  RowSample(int columns, int most_rows) : columns_(columns), most_(most_rows) {}

  void add(const float* row);
  [[nodiscard]] int rows() const { return rows_; }
  [[nodiscard]] int columns() const { return columns_; }
  /// [rows(), columns()]
  [[nodiscard]] const std::vector<float>& values() const { return values_; }

 private:
  void thin_out();

  int columns_;
  int most_;
  int rows_ = 0;
  std::size_t seen_ = 0;
  std::size_t stride_ = 1;
  std::vector<float> values_;
};

}  // namespace kobolt
