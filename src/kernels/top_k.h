#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>

namespace kobolt::kernels {

/// The best `capacity` of the candidates offered so far, in the caller's arrays: a binary heap with
/// the worst on top. Candidates come in ascending order of index.
class TopKHeap {
 public:
  /// `size` candidates are in the arrays already, as an earlier heap left them.
  TopKHeap(int capacity, float* values, std::int32_t* indices, int size = 0)
      : capacity_(capacity), size_(size), values_(values), indices_(indices) {}

  /// Only a value above this can still get in.
  [[nodiscard]] float threshold() const { return values_[0]; }
  [[nodiscard]] int size() const { return size_; }
  [[nodiscard]] bool full() const { return size_ == capacity_; }

  void offer(float value, std::int32_t index) {
    if (std::isnan(value)) value = -std::numeric_limits<float>::infinity();
    if (!full()) {
      sift_up(size_++, value, index);
    } else if (value > threshold()) {  // an equal one came earlier, so has the lower index
      sift_down(size_, value, index);
    }
  }

  /// Leaves the arrays in descending order.
  void sort() {
    for (int last = size_ - 1; last > 0; --last) {
      const float value = values_[last];
      const std::int32_t index = indices_[last];
      values_[last] = values_[0];
      indices_[last] = indices_[0];
      sift_down(last, value, index);
    }
  }

 private:
  [[nodiscard]] static bool worse(float value_a, std::int32_t index_a, float value_b,
                                  std::int32_t index_b) {
    return value_a < value_b || (value_a == value_b && index_a > index_b);
  }

  void place(int slot, float value, std::int32_t index) {
    values_[slot] = value;
    indices_[slot] = index;
  }

  void sift_up(int slot, float value, std::int32_t index) {
    while (slot > 0) {
      const int parent = (slot - 1) / 2;
      if (!worse(value, index, values_[parent], indices_[parent])) break;
      place(slot, values_[parent], indices_[parent]);
      slot = parent;
    }
    place(slot, value, index);
  }

  /// Replaces the top of the heap [0, size).
  void sift_down(int size, float value, std::int32_t index) {
    int slot = 0;
    for (int child = 1; child < size; child = 2 * slot + 1) {
      if (child + 1 < size &&
          worse(values_[child + 1], indices_[child + 1], values_[child], indices_[child])) {
        ++child;
      }
      if (!worse(values_[child], indices_[child], value, index)) break;
      place(slot, values_[child], indices_[child]);
      slot = child;
    }
    place(slot, value, index);
  }

  int capacity_;
  int size_;
  float* values_;
  std::int32_t* indices_;
};

}  // namespace kobolt::kernels
