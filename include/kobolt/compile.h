#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "kobolt/export.h"
#include "kobolt/model.h"

namespace kobolt {

struct Int4Rounding;

/// Number format of an engine's weights. Biases and norms are fp32 in all of them.
enum class Precision : std::uint8_t {
  fp32,
  fp16,  ///< IEEE binary16, products in fp32
  bf16,  ///< the upper half of a float, products in fp32 or, where the processor has them, of bf16
  int8,  ///< a scale for each output feature; activations quantised per row at run time
  int4,  ///< a scale for each 32 inputs of an output feature, activations of 8 bits; embeddings,
         ///< output projection and positions are int8 unless CompileOptions::layers says otherwise
};
KOBOLT_API std::string_view name_of(Precision precision);
/// Reads a name such as "int8". Throws Error(invalid_argument) listing what exists.
KOBOLT_API Precision precision_from_name(std::string_view name);

/// The precision of some of an engine's matrices.
struct LayerPrecision {
  /// The engine's names (docs/format.md) with '*' for anything between two dots: "lm_head",
  /// "encoder.layers.*.fc1", "decoder.layers.0" for all of a layer, "encoder.positions".
  std::string pattern;
  Precision precision = Precision::fp32;
};
/// Reads "PATTERN=PRECISION". Throws Error(invalid_argument).
KOBOLT_API LayerPrecision layer_precision_from_text(std::string_view text);

/// Which matrices are stored without their zeros (docs/format.md). The engine computes the same.
enum class SparseStorage : std::uint8_t {
  off,        ///< none
  automatic,  ///< where that makes products no slower: blocks of zeros, and enough of them
  smallest,   ///< wherever a tenth of the bytes is saved, though products may take longer
};
/// Reads "off", "auto" or "small". Throws Error(invalid_argument).
KOBOLT_API SparseStorage sparse_storage_from_name(std::string_view name);

struct CompileOptions {
  Precision precision = Precision::fp32;
  /// Exceptions; where several patterns match a matrix the last one wins. A pattern that matches
  /// nothing is an Error(invalid_argument). Where the output projection is the embedding, both
  /// "lm_head" and "embedding" name that one matrix.
  std::vector<LayerPrecision> layers;
  SparseStorage sparse = SparseStorage::automatic;  ///< int4 is always stored whole
  /// Of the matrices that become int4 those that round_to_int4() has rounded for this model; any
  /// other is rounded weight by weight. Of other weights or shapes: Error(invalid_argument).
  std::shared_ptr<const Int4Rounding> int4;
  /// With `int4`: at most this share of the weights that it has becomes int4, those matrices first
  /// whose outputs get the least noise by it for each weight, as far as they fit. `layers` wins.
  double int4_share = 0;
};

/// Writes `model` as an engine file (docs/format.md): packed, quantised, with settings and
/// tokenizer. Written beside, synced and renamed. Throws Error.
KOBOLT_API void compile(const Model& model, const std::filesystem::path& output,
                        const CompileOptions& options = {});

}  // namespace kobolt
