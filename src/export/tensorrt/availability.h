#pragma once

#include <string>

#include "export/tensorrt/component.h"

namespace kobolt {

/// What of TensorRT there is. `component` is null where nothing of it can be used; `reason` says
/// why.
struct TensorRTAvailability {
  TensorRTComponent* component = nullptr;
  TensorRTPlatform platform;
  std::string reason;
};

/// Judges a component, null where there is none for the reason `problem`.
TensorRTAvailability judge(TensorRTComponent* component, const std::string& problem);

/// Of this build on this machine, found out once.
const TensorRTAvailability& tensorrt_here();

}  // namespace kobolt
