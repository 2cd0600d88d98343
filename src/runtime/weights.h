#pragma once

#include <memory>
#include <string>
#include <vector>

#include "format/engine_file.h"
#include "kernels/kernels.h"

namespace kobolt {

/// A linear layer y = x.W^T + b as the engine holds it: one of the two packed forms.
struct Linear {
  kernels::PackedF32 f32;
  kernels::PackedI8 i8;
  const float* bias = nullptr;  ///< [padded(n)]
  bool quantized = false;

  [[nodiscard]] int n() const { return quantized ? i8.n : f32.n; }
  [[nodiscard]] int k() const { return quantized ? i8.k : f32.k; }
};

struct Norm {
  const float* gamma = nullptr;
  const float* beta = nullptr;
};

/// Positions [max_positions, d_model], float32 or int8 with a scale a row.
struct PositionTable {
  const float* f32 = nullptr;
  const std::int8_t* i8 = nullptr;
  const float* scales = nullptr;
};

struct LayerWeights {
  Linear qkv;       ///< [3 * self_heads * head_dim, d_model]
  Linear self_out;  ///< [d_model, self_heads * head_dim]
  Norm self_norm;
  Linear cross_q;    ///< decoder only: [cross_heads * head_dim, d_model]
  Linear cross_kv;   ///< decoder only: [2 * cross_heads * head_dim, d_model]
  Linear cross_out;  ///< decoder only: [d_model, cross_heads * head_dim]
  Norm cross_norm;   ///< decoder only
  Linear fc1;        ///< [ffn, d_model]
  Linear fc2;        ///< [d_model, ffn]
  Norm ffn_norm;
};

struct SideWeights {
  Linear embedding;  ///< [vocabulary, d_model], without bias
  PositionTable positions;
  Norm embedding_norm;
  Norm final_norm;
  std::vector<LayerWeights> layers;
};

/// Pointers into an engine file, every one checked for name, layout and shape.
struct EngineWeights {
  /// Throws Error(corrupt) naming a section that is missing or of another shape.
  static EngineWeights bind(std::shared_ptr<const EngineFile> file);

  SideWeights encoder;
  SideWeights decoder;
  Linear lm_head;  ///< [vocab_size, d_model], bias = final logits bias
  std::shared_ptr<const EngineFile> file;
};

}  // namespace kobolt
