#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "kobolt/calibration.h"
#include "kobolt/compile.h"
#include "kobolt/export.h"
#include "kobolt/model.h"

namespace kobolt {

/// A matrix of an engine in int4, rounded for what flows into it. Signal to noise is
/// 10 log10(sum(y^2) / sum((y - q)^2)) in dB over its outputs on the documents.
struct Int4Matrix {
  std::string section;               ///< the engine's name: "encoder.layers.0.self_attn.qkv"
  int n = 0;                         ///< output features
  int k = 0;                         ///< inputs
  std::vector<std::uint8_t> blocks;  ///< as panels16_groups32_i4 (docs/format.md)
  double plain_db = 0;               ///< with every weight rounded by itself
  double db = 0;                     ///< as it is in `blocks`
};

/// int4 weights of linear layers of a model: for CompileOptions::int4.
struct Int4Rounding {
  std::string model_hash;  ///< Provenance::source_hash of the model
  std::size_t documents = 0;
  std::vector<Int4Matrix> matrices;  ///< in the order of computation

  /// The matrix of that section, or null.
  [[nodiscard]] const Int4Matrix* find(std::string_view section) const {
    const auto found = std::ranges::find(matrices, section, &Int4Matrix::section);
    return found == matrices.end() ? nullptr : &*found;
  }
};

/// Summarises `documents` as collect_input_norms() does, and rounds the linear layers that are int4
/// by `compiled` so that their outputs on them change least: what one weight loses by rounding, the
/// weights after it make up for as far as their inputs go together (docs/calibration.md). The
/// output projection is among them only where it is not the embedding too. Throws Error;
/// invalid_argument where no document has any token, corrupt where something that is not a finite
/// number flows into a layer.
KOBOLT_API Int4Rounding
round_to_int4(const Model& model, std::span<const std::string> documents,
              const CompileOptions& compiled = {.precision = Precision::int4},
              const CalibrationOptions& options = {});

}  // namespace kobolt
