#include "kobolt/torchscript.h"

#include "runtime/torch_component.h"

namespace kobolt {

bool libtorch_available() {
  return backend_component<TorchComponent>(ComponentLibrary::find("torch")) != nullptr;
}

void export_torchscript(const Model& model, const std::filesystem::path& path) {
  require_torch().export_script(model, path);
}

}  // namespace kobolt
