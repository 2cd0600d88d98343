#pragma once

#include "export/tensorrt/component.h"
#include "tensorrt/log.h"

namespace kobolt {

/// Strongly typed networks from the three ONNX graphs, with selection and reordering added, as
/// serialised engines. Throws Error with what TensorRT complained about.
TensorRTPlans build_plans(const TensorRTBuild& build, TensorRTLog& log);

}  // namespace kobolt
