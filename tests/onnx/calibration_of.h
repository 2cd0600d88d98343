#pragma once

#include <string>

#include "kobolt/calibrate.h"
#include "model/layout.h"
#include "model/pattern.h"

namespace kobolt::onnx {

/// A calibration of a model without a tokenizer: all layers have one clip.
inline Calibration calibration_of(const Model& model, float clip) {
  Calibration calibration{.model_hash = model.provenance.source_hash};
  for (const TensorSpec& spec : expected_tensors(model.config)) {
    if (spec.shape.size() != 2 || spec.name.find(".layers.") == std::string::npos) continue;
    calibration.layers.push_back({.name = std::string(module_of(spec.name)), .clip = clip});
  }
  calibration.layers.push_back({.name = "lm_head", .clip = clip});
  return calibration;
}

}  // namespace kobolt::onnx
