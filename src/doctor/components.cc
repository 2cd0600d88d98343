#include "doctor/components.h"

#include <dlfcn.h>
#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "onnxruntime/library.h"
#include "runtime/foreign_model.h"

namespace kobolt {
namespace {

struct CloseLibrary {
  void operator()(void* handle) const { ::dlclose(handle); }
};
using Library = std::unique_ptr<void, CloseLibrary>;

template <typename Function>
Function* symbol(const Library& library, const char* name) {
  return reinterpret_cast<Function*>(::dlsym(library.get(), name));
}

// CUDA counts 12040 for 12.4.
std::string cuda_version(const Library& library, const char* function) {
  auto* get = symbol<int(int*)>(library, function);
  int version = 0;
  if (get == nullptr || get(&version) != 0 || version <= 0) return {};
  return fmt::format("{}.{}", version / 1000, version % 1000 / 10);
}

std::string driver_version(const Library& library) {
  return cuda_version(library, "cuDriverGetVersion");
}

std::string runtime_version(const Library& library) {
  return cuda_version(library, "cudaRuntimeGetVersion");
}

// TensorRT 10 counts 100300 for 10.3.0, older ones 8601 for 8.6.1.
std::string tensorrt_version(const Library& library) {
  auto* get = symbol<int()>(library, "getInferLibVersion");
  const int version = get == nullptr ? 0 : get();
  if (version <= 0) return {};
  const int major = version >= 100000 ? 10000 : 1000;
  return fmt::format("{}.{}.{}", version / major, version % major / 100, version % 100);
}

struct Sought {
  const char* name;
  const char* purpose;
  std::vector<const char*> libraries;  // newest first
  std::string (*version)(const Library&);
  const char* install;
};

Component probe(const Sought& one) {
  Component component{.name = one.name, .purpose = one.purpose};
  component.install = one.install;
  for (const char* name : one.libraries) {
    const Library library(::dlopen(name, RTLD_LAZY | RTLD_LOCAL));
    if (!library) continue;
    component.found = true;
    component.library = name;
    if (one.version != nullptr) component.version = one.version(library);
    break;
  }
  return component;
}

/// What Kobolt itself can do with it here.
void add_back_end(Component& component) {
  const auto use = [&](const char* name) {
    const ComponentLibrary& own = ComponentLibrary::find(name);
    auto* back_end = backend_component<BackendComponent>(own);
    if (back_end == nullptr) return;
    component.found = component.used = true;
    component.version = back_end->version();
    // It knows folders that the loader does not search.
    if (component.library.empty()) component.library = own.library();
  };
  if (component.name == "LibTorch") use("torch");
  if (component.name != "TensorRT") return;
  use("tensorrt");
  component.note =
      "Kobolt's back end for it compiles with the headers of TensorRT 10.0 to 11.1 and builds "
      "engines, but has never run one; with a stand-in in TensorRT's place it has run on CUDA 13.0 "
      "and an H100";
}

/// The back end for TensorRT brings CUDA into use.
void mark_cuda(std::vector<Component>& components) {
  const auto tensorrt = std::ranges::find(components, "TensorRT", &Component::name);
  for (Component& component : components) {
    if (component.name.starts_with("CUDA")) component.used = component.found && tensorrt->used;
  }
}

Component onnx_runtime() {
  const OnnxRuntimeLibrary& library = OnnxRuntimeLibrary::find();
  Component component{.name = "ONNX Runtime", .purpose = "ONNX models"};
  component.found = !library.library().empty();
  component.library = library.library();
  component.version = library.version();
  component.used = library.functions() != nullptr;
  if (component.found) component.note = library.problem();
  component.install =
      "PyPI package onnxruntime, or Debian package libonnxruntime-dev (Debian 13 or newer)";
  return component;
}

}  // namespace

std::vector<Component> probe_components() {
  const std::vector<Sought> sought{
      {"CUDA driver",
       "NVIDIA GPUs",
       {"libcuda.so.1"},
       driver_version,
       "Debian package nvidia-driver (non-free), for a machine with an NVIDIA GPU"},
      {"CUDA runtime",
       "NVIDIA GPUs",
       {"libcudart.so.13", "libcudart.so.12", "libcudart.so.11.0", "libcudart.so"},
       runtime_version,
       "Debian package nvidia-cuda-toolkit (non-free)"},
      {"TensorRT",
       "engines for NVIDIA GPUs",
       {"libnvinfer.so.11", "libnvinfer.so.10", "libnvinfer.so"},
       tensorrt_version,
       "package libnvinfer-dev of NVIDIA's own repository"},
      {"LibTorch",
       "TorchScript models",
       {"libtorch.so", "libtorch.so.2.6", "libtorch.so.1.13"},
       nullptr,
       "Debian package libtorch-dev"},
  };
  std::vector<Component> components;
  components.reserve(sought.size());
  for (const Sought& one : sought) components.push_back(probe(one));
  for (Component& component : components) add_back_end(component);
  mark_cuda(components);
  components.push_back(onnx_runtime());
  return components;
}

}  // namespace kobolt
