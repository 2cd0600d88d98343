#pragma once

#include <cstdint>
#include <filesystem>
#include <string_view>

namespace kobolt::cli {

/// What a path on the command line holds, judged by its first bytes or, of a folder, its files.
enum class Artifact : std::uint8_t {
  engine,       ///< model.kobolt
  checkpoint,   ///< a Hugging Face folder
  onnx,         ///< a folder or file of ONNX models
  torchscript,  ///< a zip archive, as torch.jit.save writes
  tensorrt,     ///< a serialised TensorRT engine
  other,        ///< anything else: text, data, an unknown folder
  missing,      ///< there is nothing
};
Artifact artifact_of(const std::filesystem::path& path);

/// "engine file", "Hugging Face folder", ...
std::string_view name_of(Artifact artifact);

/// What a model may be, for the help of commands that run one.
inline constexpr const char* kRunnableKinds =
    "Engine file, Hugging Face folder, TorchScript file, or folder of ONNX graphs";

/// Throws Error where `path` is no engine file, Hugging Face folder, TorchScript file or folder of
/// ONNX graphs; the message says what it is instead and which kinds there are.
void require_runnable(const std::filesystem::path& path);

}  // namespace kobolt::cli
