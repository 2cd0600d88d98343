#include <algorithm>
#include <array>
#include <string>

#include "base/choice.h"
#include "kobolt/calibrate.h"
#include "kobolt/error.h"

namespace kobolt {
namespace {

constexpr std::array kMethods = {CalibrationMethod::minmax, CalibrationMethod::entropy,
                                 CalibrationMethod::percentile, CalibrationMethod::mse};

}  // namespace

std::string_view name_of(CalibrationMethod method) {
  switch (method) {
    case CalibrationMethod::minmax:
      return "minmax";
    case CalibrationMethod::entropy:
      return "entropy";
    case CalibrationMethod::percentile:
      return "percentile";
    case CalibrationMethod::mse:
      return "mse";
  }
  return "?";
}

CalibrationMethod calibration_method_from_name(std::string_view name) {
  return choice_from_name(kMethods, name, "no such method of calibration", "method");
}

void Calibration::require(const Model& model) const {
  if (model_hash == model.provenance.source_hash) return;
  throw Error(
      ErrorKind::invalid_argument, "the calibration was made with other weights",
      {.file = file,
       .field = "model_hash",
       .found = model_hash,
       .expected = model.provenance.source_hash + ", the hash of " + model.provenance.source,
       .hint = "run kobolt calibrate on this model"});
}

const LayerCalibration& Calibration::layer(std::string_view name) const {
  const auto found = std::ranges::find(layers, name, &LayerCalibration::name);
  if (found == layers.end()) {
    throw Error(
        ErrorKind::not_found, "the calibration lacks a layer",
        {.file = file, .field = std::string(name), .hint = "run kobolt calibrate on this model"});
  }
  return *found;
}

std::vector<LayerPrecision> Calibration::kept_layers(Precision precision) const {
  std::vector<LayerPrecision> kept;
  for (const LayerCalibration& layer : layers) {
    if (!layer.keep) continue;
    if (!kept.empty() && kept.back().pattern == layer.section)
      continue;  // joined with the one before
    kept.push_back({.pattern = layer.section, .precision = precision});
  }
  return kept;
}

}  // namespace kobolt
