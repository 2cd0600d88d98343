#pragma once

#include <cstddef>

namespace kobolt {

/// Attention of one head over itself, as encoders have it: keys and values are packed, read by all
/// queries and forgotten. `integer` asks for products of int16 (kernels::head_attention_i16), for
/// engines that round activations anyway.
class HeadAttention {
 public:
  HeadAttention(int length, int head_dim, bool integer);

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
  bool integer_;
};

}  // namespace kobolt
