#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/aligned.h"
#include "kernels/cache.h"
#include "kobolt/kv_cache.h"
#include "kobolt/model.h"

namespace kobolt {

/// What the decoder keeps for one document: the keys and values of its encoder output, one set for
/// all its beams, and the self-attention cache with the beams' ancestry. Nothing outside knows the
/// number format of either.
class Document {
 public:
  /// Gets ready for a new document, keeping memory from earlier ones. `length` encoder tokens, at
  /// most `max_rows` beams and `max_steps` positions; `format` is fp32, fp16 or int8.
  void reset(const ModelConfig& config, KvCache format, int length, int max_rows, int max_steps);

  [[nodiscard]] int length() const { return length_; }
  [[nodiscard]] int position() const { return position_; }
  [[nodiscard]] int max_rows() const { return max_rows_; }
  [[nodiscard]] int max_steps() const { return max_steps_; }
  /// Rows of the step before; 1 at the start.
  [[nodiscard]] int row_count() const { return row_count_; }
  /// Bytes of the caches.
  [[nodiscard]] std::size_t bytes() const { return caches_.size(); }

  /// Keeps the keys and values [length, head_dim] of one head, row distance ld. `scratch` holds
  /// store_scratch(layer) floats.
  void store_cross(int layer, int head, const float* keys, const float* values, std::ptrdiff_t ld,
                   float* scratch);
  [[nodiscard]] std::size_t store_scratch(int layer) const;
  /// kernels::attention of `rows` queries [rows, head_dim] over them. `scratch` holds
  /// cross_scratch(layer, rows) floats.
  void attend_cross(int layer, int head, const float* q, std::ptrdiff_t ldq, int rows, float scale,
                    float* out, std::ptrdiff_t ldo, float* scratch) const;
  [[nodiscard]] std::size_t cross_scratch(int layer, int rows) const;

  /// Starts a step of `rows` rows, row r continuing row parents[r] of the step before: the beams'
  /// histories are rewritten as indices; no cached key or value moves.
  void begin_step(const std::int32_t* parents, int rows);
  /// Keeps the newest keys and values [self_heads * head_dim] of beam `row`.
  void store_self(int layer, int row, const float* keys, const float* values);
  /// kernels::attention_step of `count` heads from `head` on, over positions 0..position() of beam
  /// `row`: q and out are [count * head_dim], `scratch` holds count * (position() + 1) floats.
  void attend_self(int layer, int row, int head, int count, const float* q, float scale, float* out,
                   float* scratch) const;
  void end_step() { ++position_; }

 private:
  /// Where the parts of a layer's caches are, in bytes.
  struct LayerLayout {
    int head_dim = 0;
    int self_heads = 0;
    std::size_t cross = 0;  // of head 0
    std::size_t cross_stride = 0;
    std::size_t cross_values = 0;  // from a head's keys on
    std::size_t cross_key_scales = 0;
    std::size_t cross_value_scales = 0;
    std::size_t self = 0;  // [max_steps][max_rows][self_heads * head_dim]
    std::size_t self_scales = 0;
  };
  [[nodiscard]] const LayerLayout& layout(int layer) const {
    return layers_[static_cast<std::size_t>(layer)];
  }
  [[nodiscard]] std::size_t slots() const {
    return static_cast<std::size_t>(max_rows_) * static_cast<std::size_t>(max_steps_);
  }
  [[nodiscard]] std::size_t key_values(int head_dim) const {
    return kernels::packed_f32_size(length_, head_dim);
  }
  [[nodiscard]] std::size_t value_values(int head_dim) const {
    return kernels::packed_f32_size(head_dim, length_);
  }

  KvCache format_ = KvCache::fp32;
  int length_ = 0;
  int position_ = 0;
  int max_rows_ = 0;
  int max_steps_ = 0;
  int row_count_ = 1;
  std::vector<LayerLayout> layers_;
  // All in one, and so in large pages: cross-attention, then keys and values of self-attention.
  AlignedVector<std::byte> caches_;
  std::size_t self_keys_ = 0;  // where they begin, in bytes
  std::size_t self_values_ = 0;
  std::vector<std::int32_t> history_;  // [max_rows][max_steps]: cache row of each position
  std::vector<std::int32_t> previous_;
};

}  // namespace kobolt
