#pragma once

#include <cstddef>

#include "runtime/weights.h"

namespace kobolt {

/// What attention multiplies where queries, keys and values are the product of `linear`: bytes or
/// int16, as it does, where activations are rounded to integers anyway, else floats. int4 stays at
/// int16: its weights use up what may be lost.
RowFormat attention_format(const Linear& linear);

/// Attention of one head over itself, as encoders have it: keys and values are packed, read by all
/// queries and forgotten. Heads or documents too large for integers are computed in floats.
class HeadAttention {
 public:
  HeadAttention(int length, int head_dim, RowFormat format);

  /// Floats that `scratch` of attend must hold.
  [[nodiscard]] std::size_t scratch() const;

  /// out [length, head_dim] = softmax(q . k^T / sqrt(head_dim)) . v, all of the same shape; rows of
  /// q, k and v are `ld` apart, those of out `ldo`.
  void attend(const float* q, const float* k, const float* v, std::ptrdiff_t ld, float* out,
              std::ptrdiff_t ldo, float* scratch) const;

 private:
  [[nodiscard]] std::size_t key_size() const;
  [[nodiscard]] std::size_t value_size() const;

  int length_;
  int head_dim_;
  RowFormat format_;
};

}  // namespace kobolt
