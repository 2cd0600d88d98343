#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "checkpoint/source_file.h"
#include "kobolt/tensor.h"

namespace kobolt {

/// The tensors of a safetensors file, borrowed from it. The header is checked as the format
/// demands: data ranges match dtype and shape, do not overlap, and cover the file without holes.
/// Throws Error naming file and tensor.
std::map<std::string, Tensor> read_safetensors(const SourceFile& file);

/// A tensor to write that is made when its turn comes.
struct TensorSource {
  DType dtype = DType::f32;  ///< in the file: boolean, or a float to which make()'s is converted
  std::vector<std::int64_t> shape;
  std::function<Tensor()> make;
};

/// Writes a safetensors file with metadata {"format": "pt"}; booleans come last, so that the rest
/// is aligned. One tensor at a time is in memory. Errors as below.
void write_safetensors(const std::filesystem::path& target,
                       const std::map<std::string, TensorSource>& tensors);

/// Writes `tensors` converted to `dtype` (f32, f16 or bf16) as a safetensors file. Written beside,
/// synced and renamed. Throws Error; unsupported, naming the tensor, for a value that is too large
/// for `dtype`.
void write_safetensors(const std::filesystem::path& target,
                       const std::map<std::string, Tensor>& tensors, DType dtype);

}  // namespace kobolt
