#pragma once

#include <filesystem>

#include "kobolt/tensorrt.h"

namespace kobolt {

/// The ONNX graphs of a conversion, in a folder that disappears with this object.
class OnnxStep {
 public:
  /// Matrices in the precision that the options ask for, so that a strongly typed network has it
  /// too. Throws Error.
  OnnxStep(const Model& model, const TensorRTOptions& options);
  OnnxStep(const OnnxStep&) = delete;
  OnnxStep& operator=(const OnnxStep&) = delete;
  ~OnnxStep();

  [[nodiscard]] const std::filesystem::path& folder() const { return folder_; }

 private:
  std::filesystem::path folder_;
};

}  // namespace kobolt
