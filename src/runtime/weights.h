#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "base/aligned.h"
#include "format/engine_file.h"
#include "kernels/bf16.h"
#include "kernels/bytes.h"
#include "kernels/kernels.h"
#include "kernels/sparse.h"

namespace kobolt {

/// A packed matrix in any of the number formats. Each matrix of an engine has its own.
using PackedMatrix = std::variant<kernels::PackedF32, kernels::PackedF16, kernels::PackedBF16,
                                  kernels::PackedI8, kernels::PackedI4, kernels::SparseF32,
                                  kernels::SparseF16, kernels::SparseBF16, kernels::SparseI8>;

/// n, k and scales of a matrix, whether all of it is stored or a part.
template <class Matrix>
auto& whole(Matrix& w) {
  if constexpr (requires { w.kept; }) {
    return w.kept;
  } else {
    return w;
  }
}

/// What a matrix multiplies: floats, or rows of kernels::round_rows_bf16, quantize_rows or
/// quantize_rows_u8.
enum class RowFormat : std::uint8_t { floats, bf16, int16, bytes };

/// A linear layer y = x.W^T + b as the engine holds it.
struct Linear {
  PackedMatrix weight;
  const float* bias = nullptr;  ///< [padded(n)]

  [[nodiscard]] int n() const {
    return std::visit([](const auto& w) { return whole(w).n; }, weight);
  }
  [[nodiscard]] int k() const {
    return std::visit([](const auto& w) { return whole(w).k; }, weight);
  }
  /// For bf16 and int8 it depends on the instruction set in use; of a dense int8 matrix, on that
  /// when its sums were, or were not, computed.
  [[nodiscard]] RowFormat row_format() const {
    if (const auto* dense = std::get_if<kernels::PackedI8>(&weight)) {
      return dense->sums != nullptr ? RowFormat::bytes : RowFormat::int16;
    }
    if (std::holds_alternative<kernels::SparseI8>(weight)) {
      return kernels::prefers_byte_rows() ? RowFormat::bytes : RowFormat::int16;
    }
    if (std::holds_alternative<kernels::PackedBF16>(weight) ||
        std::holds_alternative<kernels::SparseBF16>(weight)) {
      return kernels::prefers_bf16_rows() ? RowFormat::bf16 : RowFormat::floats;
    }
    return std::holds_alternative<kernels::PackedI4>(weight) ? RowFormat::bytes : RowFormat::floats;
  }
  /// The output features of these panels alone.
  [[nodiscard]] Linear slice(int panel_begin, int panel_end) const;
  /// Bytes of one panel, in the mean where panels differ.
  [[nodiscard]] std::int64_t panel_bytes() const;
};

struct Norm {
  const float* gamma = nullptr;
  const float* beta = nullptr;
};

/// Positions [max_positions, d_model], row-major in one of the number formats.
struct PositionTable {
  const std::byte* data = nullptr;
  Layout layout = Layout::rows_f32;
  const float* scales = nullptr;  ///< of rows_i8, one a row
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

/// By the names of the matrices: kernels::sum_columns.
using ColumnSums = std::map<std::string, AlignedVector<std::int32_t>>;

/// Pointers into an engine file, every one checked for name, layout and shape.
struct EngineWeights {
  /// Throws Error(corrupt) naming a section that is missing or of another shape.
  static EngineWeights bind(std::shared_ptr<const EngineFile> file);

  SideWeights encoder;
  SideWeights decoder;
  Linear lm_head;  ///< [vocab_size, d_model], bias = final logits bias
  /// What every product takes, so that it can be made with the rows themselves; floats where
  /// products differ.
  RowFormat row_format = RowFormat::floats;
  std::shared_ptr<const EngineFile> file;
  /// What PackedI8::sums point into, where products take rows of bytes.
  std::shared_ptr<const ColumnSums> sums;
};

}  // namespace kobolt
