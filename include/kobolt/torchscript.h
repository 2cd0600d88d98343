#pragma once

#include <filesystem>
#include <string>

#include "kobolt/export.h"
#include "kobolt/model.h"

namespace kobolt {

/// Whether this build's component for LibTorch is there and loads (docs/backends.md).
KOBOLT_API bool libtorch_available();

/// Writes `model`, its masks applied, as a TorchScript file in float32: three traced and frozen
/// methods, `encode`, `decode_first` and `decode_next`, that torch.jit.load finds too; settings and
/// tokenizer travel as extra files, so that Summarizer runs it like an engine file. Throws Error;
/// unsupported without the component.
KOBOLT_API void export_torchscript(const Model& model, const std::filesystem::path& path);

}  // namespace kobolt
