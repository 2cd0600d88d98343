#pragma once

#include <filesystem>
#include <optional>
#include <string_view>

#include "kobolt/summarizer.h"
#include "runtime/foreign_model.h"

namespace kobolt {

/// Engine files with this section hold TensorRT engines in place of weights.
inline constexpr std::string_view kTensorRTSection = "tensorrt.json";

/// Opens what another library than Kobolt's own engine executes: TorchScript files, engine files
/// for TensorRT, folders of ONNX graphs and, for EngineBackend::torch, Hugging Face folders.
/// Nothing for what the own engine runs. Throws Error.
std::optional<ForeignModel> open_foreign(const std::filesystem::path& path,
                                         const EngineOptions& options);

}  // namespace kobolt
