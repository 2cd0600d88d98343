#pragma once

#include "export/tensorrt/component.h"
#include "kobolt/tensorrt.h"

namespace kobolt {

/// The profile of a conversion. Throws Error(invalid_argument) for a shape that the model or the
/// options do not allow.
TensorRTProfile profile_of(const ModelConfig& model, const TensorRTOptions& options,
                           TensorRTShape shape, bool dynamic_axes);

/// Throws Error(invalid_argument) unless an engine of `profile`, in the file `file`, accepts
/// `batch` documents of `sequence` tokens.
void require_inside(const TensorRTProfile& profile, TensorRTShape shape, const std::string& file);

}  // namespace kobolt
