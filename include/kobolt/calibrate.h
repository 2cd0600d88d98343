#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "kobolt/calibration.h"
#include "kobolt/compile.h"
#include "kobolt/export.h"
#include "kobolt/model.h"

namespace kobolt {

/// How the range of a layer's input becomes the clip c of its int8 numbers: x is stored as
/// round(x / s), -127 to 127, with s = c / 127. docs/calibration.md defines each exactly.
enum class CalibrationMethod : std::uint8_t {
  minmax,      ///< the largest |x| seen
  entropy,     ///< smallest Kullback-Leibler divergence (Migacz, "8-bit Inference with TensorRT")
  percentile,  ///< a share of all |x| lies below (arXiv 2004.09602)
  mse,         ///< smallest mean squared error
};
KOBOLT_API std::string_view name_of(CalibrationMethod method);
/// Reads "minmax", "entropy", "percentile" or "mse". Throws Error(invalid_argument).
KOBOLT_API CalibrationMethod calibration_method_from_name(std::string_view name);

/// One linear layer in int8: the numbers of its input, and what they cost. Signal to noise is
/// 10 log10(sum(x^2) / sum((x - q)^2)) in dB, infinite where nothing is lost.
struct LayerCalibration {
  std::string name;     ///< the module: "encoder.layers.0.self_attn.q_proj", "lm_head"
  std::string section;  ///< the engine's matrix that it is in: "encoder.layers.0.self_attn.qkv"
  float min = 0;        ///< of its input
  float max = 0;
  float clip = 1;            ///< > 0; 1 for an input that is always zero
  double input_snr_db = 0;   ///< input in int8 with this clip
  double weight_snr_db = 0;  ///< weight in int8, a scale for each output feature
  double snr_db = 0;         ///< output, with input and weight in int8
  bool keep = false;         ///< stays in higher precision

  /// What one step of the input's int8 numbers is worth.
  [[nodiscard]] float scale() const { return clip / 127; }
};

/// What calibrate() found out about one model.
struct Calibration {
  std::string model_hash;  ///< Provenance::source_hash of the model
  CalibrationMethod method = CalibrationMethod::mse;
  double percentile = 0;  ///< of the method percentile, else 0
  std::size_t documents = 0;
  std::optional<double> auto_mixed_db;   ///< layers below were marked `keep`
  std::vector<LayerCalibration> layers;  ///< in the order of computation, lm_head last
  std::string file;                      ///< that it was read from, for messages

  /// Writes it as JSON, beside, synced and renamed. Throws Error.
  KOBOLT_API void save(const std::filesystem::path& path) const;
  /// Throws Error naming file and field: not_found, io, corrupt.
  static KOBOLT_API Calibration load(const std::filesystem::path& path);

  /// Throws Error(invalid_argument) unless it was made with these weights.
  KOBOLT_API void require(const Model& model) const;
  /// The layer of that name. Throws Error(not_found).
  [[nodiscard]] KOBOLT_API const LayerCalibration& layer(std::string_view name) const;
  /// The engine matrices that have a layer with `keep`, in `precision`: for CompileOptions::layers.
  [[nodiscard]] KOBOLT_API std::vector<LayerPrecision> kept_layers(Precision precision) const;
};

struct CalibrateOptions {
  CalibrationMethod method = CalibrationMethod::mse;
  double percentile = 99.99;  ///< above 0, at most 100
  /// Marks every layer whose output has a lower signal to noise as to be kept.
  std::optional<double> auto_mixed_db;
  CalibrationOptions run;
};

/// Summarises `documents` with an fp32 engine of `model` (its masks applied), greedily and with the
/// settings of the checkpoint otherwise, and finds for every linear layer, the output projection
/// included, how its input is best stored in int8. Throws Error; invalid_argument where no document
/// has any token, corrupt where something that is not a finite number flows into a layer.
KOBOLT_API Calibration calibrate(const Model& model, std::span<const std::string> documents,
                                 const CalibrateOptions& options = {});

}  // namespace kobolt
