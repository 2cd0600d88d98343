#include "cli/artifact.h"

#include <algorithm>
#include <array>
#include <fstream>
#include <string>

#include "kobolt/error.h"

namespace kobolt::cli {
namespace {

namespace fs = std::filesystem;

Artifact folder_kind(const fs::path& folder) {
  // Graphs may lie beside the weights that they were exported from.
  constexpr std::array kWeights = {"model.safetensors", "model.safetensors.index.json",
                                   "pytorch_model.bin", "pytorch_model.bin.index.json"};
  const auto is_here = [&folder](const char* name) { return fs::exists(folder / name); };
  if (std::ranges::any_of(kWeights, is_here)) return Artifact::checkpoint;
  std::error_code failed;
  for (const auto& entry : fs::directory_iterator(folder, failed)) {
    if (entry.path().extension() == ".onnx") return Artifact::onnx;
  }
  // An unknown folder is taken for a checkpoint: loading it tells which file is missing.
  return Artifact::checkpoint;
}

Artifact file_kind(const fs::path& file) {
  std::array<char, 6> start{};
  std::ifstream(file, std::ios::binary).read(start.data(), start.size());
  const std::string_view bytes(start.data(), start.size());
  if (bytes == "KOBOLT") return Artifact::engine;
  if (bytes.starts_with("PK\x03\x04")) return Artifact::torchscript;
  if (bytes.starts_with("ftrt") || bytes.starts_with("ptrt")) return Artifact::tensorrt;
  const fs::path extension = file.extension();
  if (extension == ".kobolt") return Artifact::engine;
  if (extension == ".onnx") return Artifact::onnx;
  if (extension == ".engine" || extension == ".plan") return Artifact::tensorrt;
  return Artifact::other;
}

}  // namespace

Artifact artifact_of(const fs::path& path) {
  std::error_code failed;
  const fs::file_status status = fs::status(path, failed);
  if (!fs::exists(status)) return Artifact::missing;
  return fs::is_directory(status) ? folder_kind(path) : file_kind(path);
}

std::string_view name_of(Artifact artifact) {
  switch (artifact) {
    case Artifact::engine:
      return "engine file";
    case Artifact::checkpoint:
      return "Hugging Face folder";
    case Artifact::onnx:
      return "ONNX model";
    case Artifact::torchscript:
      return "zip archive (TorchScript?)";
    case Artifact::tensorrt:
      return "TensorRT engine";
    case Artifact::other:
      return "file of another kind";
    case Artifact::missing:
      return "nothing";
  }
  return "";
}

void require_runnable(const fs::path& path) {
  const Artifact artifact = artifact_of(path);
  if (artifact == Artifact::engine || artifact == Artifact::checkpoint ||
      artifact == Artifact::torchscript) {
    return;
  }
  std::error_code failed;
  if (artifact == Artifact::onnx && fs::is_directory(path, failed)) return;
  const bool missing = artifact == Artifact::missing;
  throw Error(
      missing ? ErrorKind::not_found : ErrorKind::unsupported,
      missing ? "there is no such file or folder" : "this cannot be run",
      {.file = path.string(),
       .found = missing ? std::string() : std::string(name_of(artifact)),
       .expected = "an engine file (kobolt compile), a Hugging Face folder, or a TorchScript file "
                   "or a folder of ONNX graphs (kobolt export); other kinds do not run here"});
}

}  // namespace kobolt::cli
