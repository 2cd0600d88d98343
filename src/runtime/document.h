#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/aligned.h"
#include "kernels/kernels.h"
#include "kobolt/model.h"

namespace kobolt {

/// What the decoder keeps for one document: the keys and values of its encoder output, one set for
/// all its beams, and the self-attention cache with the beams' ancestry.
class Document {
 public:
  /// Gets ready for a new document, keeping memory from earlier ones. `length` encoder tokens, at
  /// most `max_rows` beams and `max_steps` positions.
  void reset(const ModelConfig& config, int length, int max_rows, int max_steps);

  [[nodiscard]] int length() const { return length_; }
  [[nodiscard]] int position() const { return position_; }
  [[nodiscard]] int max_rows() const { return max_rows_; }
  [[nodiscard]] int max_steps() const { return max_steps_; }
  /// Rows of the step before; 1 at the start.
  [[nodiscard]] int row_count() const { return row_count_; }

  /// Packed cross-attention keys / values of one head, to fill after reset.
  float* cross_keys(int layer, int head);
  float* cross_values(int layer, int head);
  [[nodiscard]] kernels::PackedF32 keys(int layer, int head);
  [[nodiscard]] kernels::PackedF32 values(int layer, int head);

  /// Self-attention cache of a layer, [max_steps][max_rows][self_heads * head_dim].
  float* self_keys(int layer) { return self_keys_.data() + layers_[index(layer)].self_offset; }
  float* self_values(int layer) { return self_values_.data() + layers_[index(layer)].self_offset; }
  /// Row of the cache that the newest position of beam `row` goes to.
  [[nodiscard]] int slot(int row) const { return position_ * max_rows_ + row; }

  /// Starts a step of `parents.size()` rows, row r continuing row parents[r] of the step before:
  /// the beams' histories are rewritten as indices; no cached key or value moves.
  void begin_step(const std::int32_t* parents, int rows);
  /// Cache rows of beam `row`'s positions 0..position().
  [[nodiscard]] const std::int32_t* history(int row) const {
    return history_.data() + static_cast<std::ptrdiff_t>(row) * max_steps_;
  }
  void end_step() { ++position_; }

 private:
  struct LayerOffsets {
    std::size_t cross_offset = 0;  // of head 0's keys
    std::size_t self_offset = 0;
    int head_dim = 0;
  };
  static std::size_t index(int layer) { return static_cast<std::size_t>(layer); }
  [[nodiscard]] std::size_t key_size(int head_dim) const;
  [[nodiscard]] std::size_t value_size(int head_dim) const;

  int length_ = 0;
  int position_ = 0;
  int max_rows_ = 0;
  int max_steps_ = 0;
  int row_count_ = 1;
  std::vector<LayerOffsets> layers_;
  AlignedVector<float> cross_;
  AlignedVector<float> self_keys_;
  AlignedVector<float> self_values_;
  std::vector<std::int32_t> history_;  // [max_rows][max_steps]
  std::vector<std::int32_t> previous_;
};

}  // namespace kobolt
