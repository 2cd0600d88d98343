#include "runtime/head_attention.h"

#include <cmath>

#include "kernels/bytes.h"
#include "kernels/head_attention.h"
#include "kernels/kernels.h"

namespace kobolt {

HeadAttention::HeadAttention(int length, int head_dim, bool integer)
    : length_(length),
      head_dim_(head_dim),
      integer_(integer && head_dim <= kernels::kMostHeadDimInteger &&
               length <= kernels::kMostLengthInteger) {}

std::size_t HeadAttention::key_size() const { return kernels::packed_f32_size(length_, head_dim_); }
std::size_t HeadAttention::value_size() const {
  return kernels::packed_f32_size(head_dim_, length_);
}

std::size_t HeadAttention::scratch() const {
  if (integer_) {
    return kernels::prefers_byte_rows() ? kernels::head_attention_i8_scratch(length_, head_dim_)
                                        : kernels::head_attention_i16_scratch(length_, head_dim_);
  }
  return key_size() + value_size() + kernels::attention_scratch(length_, length_);
}

void HeadAttention::attend(const float* q, const float* k, const float* v, std::ptrdiff_t ld,
                           float* out, std::ptrdiff_t ldo, float* scratch) const {
  const float scale = 1.0F / std::sqrt(static_cast<float>(head_dim_));
  if (integer_) {
    const auto attend =
        kernels::prefers_byte_rows() ? kernels::head_attention_i8 : kernels::head_attention_i16;
    attend(q, k, v, ld, length_, head_dim_, scale, out, ldo, scratch);
    return;
  }
  float* keys = scratch;
  float* values = keys + key_size();
  kernels::pack_f32(k, ld, length_, head_dim_, keys);
  kernels::pack_f32_transposed(v, ld, head_dim_, length_, values);
  kernels::attention(q, ld, length_, {.data = keys, .n = length_, .k = head_dim_},
                     {.data = values, .n = head_dim_, .k = length_}, scale, out, ldo,
                     values + value_size());
}

}  // namespace kobolt
