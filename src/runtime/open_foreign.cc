#include "runtime/open_foreign.h"

#include <array>
#include <fstream>
#include <string>

#include "checkpoint/weights.h"
#include "kobolt/error.h"
#include "runtime/open_onnx.h"
#include "runtime/torch_component.h"

namespace kobolt {
namespace {

bool is_zip(const std::filesystem::path& path) {
  std::array<char, 4> start{};
  std::ifstream(path, std::ios::binary).read(start.data(), start.size());
  return std::string_view(start.data(), start.size()) == "PK\x03\x04";
}

/// Graphs may lie beside the weights that they were exported from, which Kobolt's own engine runs.
bool is_only_graphs(const std::filesystem::path& path) {
  return std::filesystem::is_directory(path) && !has_weights(path) && has_onnx_graphs(path);
}

}  // namespace

TorchComponent& require_torch() {
  const ComponentLibrary& component = ComponentLibrary::find("torch");
  if (auto* torch = backend_component<TorchComponent>(component)) return *torch;
  throw Error(ErrorKind::unsupported, "LibTorch is missing: " + component.problem(),
              {.hint = "docs/backends.md says how to build with it; Kobolt's CPU engine needs "
                       "nothing"});
}

ForeignModel open_tensorrt(const std::filesystem::path& path, int threads) {
  const ComponentLibrary& component = ComponentLibrary::find("tensorrt");
  if (auto* tensorrt = backend_component<BackendComponent>(component)) {
    return tensorrt->open(path, threads);
  }
  throw Error(ErrorKind::unsupported, "TensorRT is missing: " + component.problem(),
              {.file = path.string(),
               .hint = "compile the model for Kobolt's CPU engine (kobolt compile without "
                       "--backend tensorrt)"});
}

std::optional<ForeignModel> open_foreign(const std::filesystem::path& path,
                                         const EngineOptions& options) {
  if (options.backend == EngineBackend::torch) {
    if (!std::filesystem::is_directory(path)) {
      throw Error(ErrorKind::invalid_argument, "the back end torch runs checkpoints",
                  {.file = path.string(), .expected = "a Hugging Face folder"});
    }
    return require_torch().eager(Model::load(path), options.threads);
  }
  if (options.backend == EngineBackend::onnxruntime || is_only_graphs(path)) {
    return open_onnx(path, options.threads);
  }
  if (!std::filesystem::is_regular_file(path)) return std::nullopt;
  if (path.extension() == ".onnx") {
    throw Error(
        ErrorKind::unsupported, "one ONNX graph is no model",
        {.file = path.string(), .expected = "the folder that holds it and the other graphs"});
  }
  if (is_zip(path)) return require_torch().open(path, options.threads);
  return std::nullopt;
}

}  // namespace kobolt
