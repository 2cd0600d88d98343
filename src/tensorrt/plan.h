#pragma once

#include <NvInfer.h>

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "tensorrt/cuda.h"
#include "tensorrt/log.h"

namespace kobolt {

/// An engine of TensorRT that is ready to run. One call at a time.
class Plan {
 public:
  /// Throws Error(corrupt) with what TensorRT complained about.
  Plan(nvinfer1::IRuntime& runtime, std::span<const std::byte> bytes, const std::string& name,
       TensorRTLog& log);

  /// Names of inputs or of outputs, in the engine's order.
  [[nodiscard]] std::vector<std::string> names(nvinfer1::TensorIOMode mode) const;
  /// Bytes of an element of this input or output.
  [[nodiscard]] std::size_t element_size(const std::string& name) const;
  /// The sizes of an output for the inputs that are set, or of any tensor where they are fixed.
  [[nodiscard]] nvinfer1::Dims shape(const std::string& name) const;
  /// The sizes that the network itself fixes; -1 where a call chooses.
  [[nodiscard]] nvinfer1::Dims fixed_shape(const std::string& name) const;

  /// Throws Error(invalid_argument) for sizes outside of the profile.
  void input(const std::string& name, const nvinfer1::Dims& shape, const void* data);
  void output(const std::string& name, void* data);
  /// Queues the computation. Throws Error.
  void run(const CudaStream& stream);

 private:
  std::string name_;
  TensorRTLog& log_;
  std::unique_ptr<nvinfer1::ICudaEngine> engine_;
  std::unique_ptr<nvinfer1::IExecutionContext> context_;
};

/// The product of all sizes.
std::size_t elements(const nvinfer1::Dims& shape);

}  // namespace kobolt
