#pragma once

#include <filesystem>
#include <map>
#include <string>

#include "checkpoint/source_file.h"
#include "kobolt/tensor.h"

namespace kobolt {

/// The tensors of a safetensors file, borrowed from it. The header is checked as the format
/// demands: data ranges match dtype and shape, do not overlap, and cover the file without holes.
/// Throws Error naming file and tensor.
std::map<std::string, Tensor> read_safetensors(const SourceFile& file);

/// Writes `tensors` converted to `dtype` (f32, f16 or bf16) as a safetensors file with metadata
/// {"format": "pt"}. Written beside, synced and renamed. Throws Error; unsupported, naming the
/// tensor, for a value that is too large for `dtype`.
void write_safetensors(const std::filesystem::path& target,
                       const std::map<std::string, Tensor>& tensors, DType dtype);

}  // namespace kobolt
