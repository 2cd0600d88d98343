#pragma once

#include "export/tensorrt/availability.h"
#include "kobolt/tensorrt.h"

namespace kobolt {

/// TensorRTOptimizer::convert_to_tensorrt() with what there is of TensorRT.
TensorRTConversion convert(const Model& model, const TensorRTOptions& options, TensorRTShape shape,
                           const std::filesystem::path& output, bool dynamic_axes,
                           const TensorRTAvailability& here);

}  // namespace kobolt
