#include "runtime/head_attention.h"

#include <cmath>
#include <variant>

#include "kernels/head_attention.h"
#include "kernels/kernels.h"

namespace kobolt {

RowFormat attention_format(const Linear& linear) {
  if (std::holds_alternative<kernels::PackedI4>(linear.weight)) return RowFormat::int16;
  const RowFormat format = linear.row_format();
  return format == RowFormat::bf16 ? RowFormat::floats : format;
}

HeadAttention::HeadAttention(int length, int head_dim, RowFormat format)
    : length_(length),
      head_dim_(head_dim),
      format_(head_dim <= kernels::kMostHeadDimInteger && length <= kernels::kMostLengthInteger
                  ? format
                  : RowFormat::floats) {}

std::size_t HeadAttention::key_size() const { return kernels::packed_f32_size(length_, head_dim_); }
std::size_t HeadAttention::value_size() const {
  return kernels::packed_f32_size(head_dim_, length_);
}

std::size_t HeadAttention::scratch() const {
  switch (format_) {
    case RowFormat::bytes:
      return kernels::head_attention_i8_scratch(length_, head_dim_);
    case RowFormat::int16:
      return kernels::head_attention_i16_scratch(length_, head_dim_);
    default:
      break;
  }
  return key_size() + value_size() + kernels::attention_scratch(length_, length_);
}

void HeadAttention::attend(const float* q, const float* k, const float* v, std::ptrdiff_t ld,
                           float* out, std::ptrdiff_t ldo, float* scratch) const {
  const float scale = 1.0F / std::sqrt(static_cast<float>(head_dim_));
  if (format_ != RowFormat::floats) {
    const auto attend_head =
        format_ == RowFormat::bytes ? kernels::head_attention_i8 : kernels::head_attention_i16;
    attend_head(q, k, v, ld, length_, head_dim_, scale, out, ldo, scratch);
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
