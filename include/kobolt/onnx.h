#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kobolt/calibrate.h"
#include "kobolt/export.h"
#include "kobolt/model.h"

namespace kobolt {

/// What the matrices of an ONNX export are stored in and multiplied with. Norms, softmax, sums of
/// the residual stream and logits are fp32 in all of them.
enum class OnnxPrecision : std::uint8_t {
  fp32,
  fp16,          ///< matrices, activations between them and the cache
  int8,          ///< weights, with a scale for each output feature, and what meets them, with the
                 ///< scale that calibration found: QuantizeLinear and DequantizeLinear around
                 ///< every product, which runtimes turn into products of integers
  int8_weights,  ///< a scale for each output feature; products in fp32
  int4_weights,  ///< a scale for each 32 inputs of an output feature; embeddings and output
                 ///< projection are int8_weights. Needs operator set 21
};
KOBOLT_API std::string_view name_of(OnnxPrecision precision);
/// Reads a name such as "int8-weights". Throws Error(invalid_argument) listing what exists.
KOBOLT_API OnnxPrecision onnx_precision_from_name(std::string_view name);

/// The precision of some of the matrices.
struct OnnxLayerPrecision {
  /// A module's name with '*' for anything between two dots: "lm_head", "encoder.layers.*.fc1",
  /// "decoder.layers.0" for all of a layer, "shared" for the embedding.
  std::string pattern;
  OnnxPrecision precision = OnnxPrecision::fp32;
};
/// Reads "PATTERN=PRECISION". Throws Error(invalid_argument).
KOBOLT_API OnnxLayerPrecision onnx_layer_precision_from_text(std::string_view text);

/// The operator sets that export_onnx writes.
inline constexpr int kOldestOpset = 13;
inline constexpr int kNewestOpset = 28;

struct OnnxOptions {
  OnnxPrecision precision = OnnxPrecision::fp32;
  /// Exceptions; where several patterns match a matrix the last one wins. A pattern that matches
  /// nothing is an Error(invalid_argument).
  std::vector<OnnxLayerPrecision> layers;
  /// Of the model: needed where a matrix is int8. Of an int8 export the layers that it marks `keep`
  /// are fp32, unless `layers` says otherwise.
  std::optional<Calibration> calibration;
  /// Version of the operator set; by default 17, or 21 where a matrix is int4_weights.
  std::optional<int> opset;
  /// Documents (with beams: rows) of a call, where it is to be fixed. Chosen by each call
  /// otherwise.
  std::optional<std::int64_t> batch;
  /// Tokens of the documents, padding included, where they are to be fixed. Lengths of summaries
  /// are never fixed: the cache grows by a token a step.
  std::optional<std::int64_t> sequence;
  /// Later steps of one shape, for what gains by that (CUDA graphs), and not for optimum: the cache
  /// has room for the whole summary from the beginning, zeros at first; a step takes one token a
  /// row and its position, `cache_position` int64 [1], and gives back the cache with that place
  /// filled.
  bool fixed_cache = false;
};

/// A file that an export wrote.
struct ExportedFile {
  std::filesystem::path path;
  std::uint64_t bytes = 0;
};

/// Writes `model`, its masks applied, as a folder that Hugging Face's optimum loads
/// (ORTModelForSeq2SeqLM): encoder_model.onnx, decoder_model.onnx (first step),
/// decoder_with_past_model.onnx (later steps), the weights of all three in model.onnx_data, and
/// config.json, generation_config.json and tokenizer. docs/onnx.md has inputs and outputs. Files
/// are written beside, synced and renamed when all of them are complete. Throws Error.
KOBOLT_API std::vector<ExportedFile> export_onnx(const Model& model,
                                                 const std::filesystem::path& folder,
                                                 const OnnxOptions& options = {});

}  // namespace kobolt
