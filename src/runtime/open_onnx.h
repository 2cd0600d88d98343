#pragma once

#include <filesystem>

#include "runtime/foreign_model.h"

namespace kobolt {

/// Whether the folder holds ONNX graphs of a summariser.
bool has_onnx_graphs(const std::filesystem::path& folder);

/// Opens such a folder with ONNX Runtime; `threads` as EngineOptions has it. Throws Error.
ForeignModel open_onnx(const std::filesystem::path& folder, int threads);

}  // namespace kobolt
