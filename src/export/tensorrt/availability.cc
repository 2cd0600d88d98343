#include "export/tensorrt/availability.h"

#include "kobolt/error.h"

namespace kobolt {

TensorRTAvailability judge(TensorRTComponent* component, const std::string& problem) {
  if (component == nullptr) return {.reason = "TensorRT is missing: " + problem};
  try {
    return {.component = component, .platform = component->platform()};
  } catch (const Error& error) {
    return {.reason = "there is no GPU that TensorRT could use: " + std::string(error.what())};
  }
}

const TensorRTAvailability& tensorrt_here() {
  static const TensorRTAvailability here = [] {
    const ComponentLibrary& component = ComponentLibrary::find("tensorrt");
    return judge(backend_component<TensorRTComponent>(component), component.problem());
  }();
  return here;
}

}  // namespace kobolt
