#include "runtime/document.h"

#include <algorithm>

#include "runtime/executor.h"

namespace kobolt {

std::size_t Document::key_size(int head_dim) const {
  return kernels::packed_f32_size(length_, head_dim);
}
std::size_t Document::value_size(int head_dim) const {
  return kernels::packed_f32_size(head_dim, length_);
}

void Document::reset(const ModelConfig& config, int length, int max_rows, int max_steps) {
  length_ = length;
  position_ = 0;
  row_count_ = 1;
  max_rows_ = max_rows;
  max_steps_ = max_steps;
  layers_.clear();
  std::size_t cross = 0;
  std::size_t self = 0;
  const auto slots = static_cast<std::size_t>(max_rows) * static_cast<std::size_t>(max_steps);
  for (const LayerConfig& layer : config.decoder_layers) {
    layers_.push_back({.cross_offset = cross, .self_offset = self, .head_dim = layer.head_dim});
    cross += static_cast<std::size_t>(layer.cross_heads) *
             (key_size(layer.head_dim) + value_size(layer.head_dim));
    self += static_cast<std::size_t>(layer.self_heads * layer.head_dim) * slots;
  }
  reserve(cross_, cross);
  reserve(self_keys_, self);
  reserve(self_values_, self);
  history_.resize(slots);
  previous_.resize(slots);
}

float* Document::cross_keys(int layer, int head) {
  const LayerOffsets& at = layers_[index(layer)];
  return cross_.data() + at.cross_offset +
         index(head) * (key_size(at.head_dim) + value_size(at.head_dim));
}
float* Document::cross_values(int layer, int head) {
  return cross_keys(layer, head) + key_size(layers_[index(layer)].head_dim);
}
kernels::PackedF32 Document::keys(int layer, int head) {
  return {.data = cross_keys(layer, head), .n = length_, .k = layers_[index(layer)].head_dim};
}
kernels::PackedF32 Document::values(int layer, int head) {
  return {.data = cross_values(layer, head), .n = layers_[index(layer)].head_dim, .k = length_};
}

void Document::begin_step(const std::int32_t* parents, int rows) {
  std::swap(history_, previous_);
  for (int row = 0; row < rows; ++row) {
    const std::int32_t* from =
        previous_.data() + static_cast<std::ptrdiff_t>(parents[row]) * max_steps_;
    std::int32_t* to = history_.data() + static_cast<std::ptrdiff_t>(row) * max_steps_;
    std::copy_n(from, position_, to);
    to[position_] = slot(row);
  }
  row_count_ = rows;
}

}  // namespace kobolt
