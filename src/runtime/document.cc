#include "runtime/document.h"

#include <algorithm>
#include <utility>

#include "kernels/kernels.h"
#include "runtime/executor.h"

namespace kobolt {
namespace {

std::size_t bytes_of(KvCache format) {
  switch (format) {
    case KvCache::fp16:
      return sizeof(std::uint16_t);
    case KvCache::int8:
      return sizeof(std::int8_t);
    default:
      return sizeof(float);
  }
}

/// Gives out consecutive runs of bytes, each on a cache line of its own.
class Extent {
 public:
  std::size_t take(std::size_t size) {
    constexpr std::size_t kLine = 64;
    return std::exchange(size_, size_ + (size + kLine - 1) / kLine * kLine);
  }
  [[nodiscard]] std::size_t size() const { return size_; }

 private:
  std::size_t size_ = 0;
};

template <typename T>
T* at(AlignedVector<std::byte>& bytes, std::size_t offset) {
  return reinterpret_cast<T*>(bytes.data() + offset);
}
template <typename T>
const T* at(const AlignedVector<std::byte>& bytes, std::size_t offset) {
  return reinterpret_cast<const T*>(bytes.data() + offset);
}

}  // namespace

void Document::reset(const ModelConfig& config, KvCache format, int length, int max_rows,
                     int max_steps) {
  format_ = format;
  length_ = length;
  position_ = 0;
  row_count_ = 1;
  max_rows_ = max_rows;
  max_steps_ = max_steps;
  layers_.clear();
  const std::size_t width = bytes_of(format);
  const bool scaled = format == KvCache::int8;
  Extent cross;
  Extent self;
  for (const LayerConfig& layer : config.decoder_layers) {
    LayerLayout& to = layers_.emplace_back(
        LayerLayout{.head_dim = layer.head_dim, .self_heads = layer.self_heads});
    // One head's parts are neighbours: a task reads them all.
    Extent head;
    head.take(key_values(layer.head_dim) * width);
    to.cross_values = head.take(value_values(layer.head_dim) * width);
    if (scaled) {
      const auto keys = static_cast<std::size_t>(kernels::padded(length));
      const auto values = static_cast<std::size_t>(kernels::padded(layer.head_dim));
      to.cross_key_scales = head.take(keys * sizeof(float));
      to.cross_value_scales = head.take(values * sizeof(float));
    }
    to.cross_stride = head.size();
    to.cross = cross.take(head.size() * static_cast<std::size_t>(layer.cross_heads));
    const auto heads = static_cast<std::size_t>(layer.self_heads);
    to.self = self.take(slots() * heads * static_cast<std::size_t>(layer.head_dim) * width);
    if (scaled) to.self_scales = self.take(slots() * heads * sizeof(float));
  }
  Extent all;
  all.take(cross.size());
  self_keys_ = all.take(self.size());
  self_values_ = all.take(self.size());
  reserve(caches_, all.size());
  history_.resize(slots());
  previous_.resize(slots());
}

std::size_t Document::store_scratch(int layer) const {
  if (format_ == KvCache::fp32) return 0;
  return std::max(key_values(layout(layer).head_dim), value_values(layout(layer).head_dim));
}

void Document::store_cross(int layer, int head, const float* keys, const float* values,
                           std::ptrdiff_t ld, float* scratch) {
  const LayerLayout& to = layout(layer);
  const int d = to.head_dim;
  const std::size_t base = to.cross + static_cast<std::size_t>(head) * to.cross_stride;
  const std::size_t value_base = base + to.cross_values;
  const auto pack_keys = [&](float* out) { kernels::pack_f32(keys, ld, length_, d, out); };
  const auto pack_values = [&](float* out) {
    kernels::pack_f32_transposed(values, ld, d, length_, out);
  };
  switch (format_) {
    case KvCache::fp16:
      pack_keys(scratch);
      kernels::narrow_f16(scratch, key_values(d), at<std::uint16_t>(caches_, base));
      pack_values(scratch);
      kernels::narrow_f16(scratch, value_values(d), at<std::uint16_t>(caches_, value_base));
      return;
    case KvCache::int8:
      pack_keys(scratch);
      kernels::narrow_panels_i8(scratch, length_, d, at<std::int8_t>(caches_, base),
                                at<float>(caches_, base + to.cross_key_scales));
      pack_values(scratch);
      kernels::narrow_panels_i8(scratch, d, length_, at<std::int8_t>(caches_, value_base),
                                at<float>(caches_, base + to.cross_value_scales));
      return;
    default:
      pack_keys(at<float>(caches_, base));
      pack_values(at<float>(caches_, value_base));
  }
}

std::size_t Document::cross_scratch(int layer, int rows) const {
  return format_ == KvCache::int8
             ? kernels::attention_scratch_i8(rows, length_, layout(layer).head_dim)
             : kernels::attention_scratch(rows, length_);
}

void Document::attend_cross(int layer, int head, const float* q, std::ptrdiff_t ldq, int rows,
                            float scale, float* out, std::ptrdiff_t ldo, float* scratch) const {
  const LayerLayout& from = layout(layer);
  const int d = from.head_dim;
  const std::size_t base = from.cross + static_cast<std::size_t>(head) * from.cross_stride;
  const std::size_t value_base = base + from.cross_values;
  switch (format_) {
    case KvCache::fp16:
      kernels::attention_f16(q, ldq, rows, {at<std::uint16_t>(caches_, base), length_, d},
                             {at<std::uint16_t>(caches_, value_base), d, length_}, scale, out, ldo,
                             scratch);
      return;
    case KvCache::int8:
      kernels::attention_i8(q, ldq, rows,
                            {at<std::int8_t>(caches_, base),
                             at<float>(caches_, base + from.cross_key_scales), length_, d},
                            {at<std::int8_t>(caches_, value_base),
                             at<float>(caches_, base + from.cross_value_scales), d, length_},
                            scale, out, ldo, scratch);
      return;
    default:
      kernels::attention(q, ldq, rows, {at<float>(caches_, base), length_, d},
                         {at<float>(caches_, value_base), d, length_}, scale, out, ldo, scratch);
  }
}

void Document::begin_step(const std::int32_t* parents, int rows) {
  std::swap(history_, previous_);
  for (int row = 0; row < rows; ++row) {
    const std::int32_t* from =
        previous_.data() + static_cast<std::ptrdiff_t>(parents[row]) * max_steps_;
    std::int32_t* to = history_.data() + static_cast<std::ptrdiff_t>(row) * max_steps_;
    std::copy_n(from, position_, to);
    to[position_] = position_ * max_rows_ + row;
  }
  row_count_ = rows;
}

void Document::store_self(int layer, int row, const float* keys, const float* values) {
  const LayerLayout& to = layout(layer);
  const int slot = position_ * max_rows_ + row;
  const int heads = to.self_heads;
  const auto width = static_cast<std::size_t>(heads) * static_cast<std::size_t>(to.head_dim);
  const std::size_t offset = to.self + static_cast<std::size_t>(slot) * width * bytes_of(format_);
  const auto store = [&](const float* x, std::size_t cache) {
    switch (format_) {
      case KvCache::fp16:
        kernels::narrow_f16(x, width, at<std::uint16_t>(caches_, cache + offset));
        return;
      case KvCache::int8:
        kernels::narrow_heads_i8(x, heads, to.head_dim, at<std::int8_t>(caches_, cache + offset),
                                 at<float>(caches_, cache + to.self_scales) + slot * heads);
        return;
      default:
        std::copy_n(x, width, at<float>(caches_, cache + offset));
    }
  };
  store(keys, self_keys_);
  store(values, self_values_);
}

void Document::attend_self(int layer, int row, int head, int count, const float* q, float scale,
                           float* out, float* scratch) const {
  const LayerLayout& from = layout(layer);
  const std::int32_t* rows = history_.data() + static_cast<std::ptrdiff_t>(row) * max_steps_;
  const int d = from.head_dim;
  const int length = position_ + 1;
  const std::ptrdiff_t ld = static_cast<std::ptrdiff_t>(from.self_heads) * d;
  const std::ptrdiff_t column = static_cast<std::ptrdiff_t>(head) * d;
  switch (format_) {
    case KvCache::fp16:
      kernels::attention_step_f16(q, at<std::uint16_t>(caches_, self_keys_ + from.self) + column,
                                  at<std::uint16_t>(caches_, self_values_ + from.self) + column, ld,
                                  rows, length, count, d, scale, out, scratch);
      return;
    case KvCache::int8: {
      const auto cache = [&](std::size_t begin) {
        return kernels::CacheRowsI8{at<std::int8_t>(caches_, begin + from.self) + column,
                                    at<float>(caches_, begin + from.self_scales) + head, ld,
                                    from.self_heads};
      };
      kernels::attention_step_i8(q, cache(self_keys_), cache(self_values_), rows, length, count, d,
                                 scale, out, scratch);
      return;
    }
    default:
      kernels::attention_step(q, at<float>(caches_, self_keys_ + from.self) + column,
                              at<float>(caches_, self_values_ + from.self) + column, ld, rows,
                              length, count, d, scale, out, scratch);
  }
}

}  // namespace kobolt
