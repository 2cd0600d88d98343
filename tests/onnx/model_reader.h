#pragma once

#include <cstdint>
#include <filesystem>
#include <string_view>

#include "export/onnx/model_file.h"

namespace kobolt::onnx {

struct ReadModel {
  std::int64_t ir_version = 0;
  std::string producer;
  ModelDef model;
};

/// What a protobuf reader finds in an ONNX file; fields that Kobolt never writes, and anything
/// malformed, throw std::runtime_error. External data is read from beside the file.
ReadModel read_model(const std::filesystem::path& path);

}  // namespace kobolt::onnx
