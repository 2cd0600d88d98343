#pragma once

#include <filesystem>
#include <optional>
#include <string_view>

#include "kobolt/summarizer.h"
#include "runtime/foreign_model.h"

namespace kobolt {

/// Engine files with this section hold TensorRT engines in place of weights.
inline constexpr std::string_view kTensorRTSection = "tensorrt.json";

/// Opens an engine file that has it. Throws Error.
ForeignModel open_tensorrt(const std::filesystem::path& path, int threads);

/// Opens what neither the own engine nor TensorRT executes: TorchScript files, folders of ONNX
/// graphs and, for EngineBackend::torch, Hugging Face folders. Nothing for others. Throws Error.
std::optional<ForeignModel> open_foreign(const std::filesystem::path& path,
                                         const EngineOptions& options);

}  // namespace kobolt
