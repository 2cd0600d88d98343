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

/// What loads engines, which it must outlive. Throws Error.
std::unique_ptr<nvinfer1::IRuntime> new_runtime(TensorRTLog& log);

/// An engine of TensorRT: what it computes and its weights.
class Plan {
 public:
  /// Throws Error(corrupt) with what TensorRT complained about.
  Plan(nvinfer1::IRuntime& runtime, std::span<const std::byte> bytes, const std::string& name,
       TensorRTLog& log);

  /// Names of inputs or of outputs, in the engine's order.
  [[nodiscard]] std::vector<std::string> names(nvinfer1::TensorIOMode mode) const;
  /// Bytes of an element of this input or output.
  [[nodiscard]] std::size_t element_size(const std::string& name) const;
  /// The sizes that the network itself fixes; -1 where a call chooses.
  [[nodiscard]] nvinfer1::Dims fixed_shape(const std::string& name) const;
  /// Device memory that a run needs for what is between its layers.
  [[nodiscard]] std::size_t scratch_bytes() const;

 private:
  friend class PlanContext;

  std::string name_;
  TensorRTLog& log_;
  std::unique_ptr<nvinfer1::ICudaEngine> engine_;
};

/// What running a plan takes: shapes, addresses, and what TensorRT derives from them. One call at a
/// time. The plan outlives it.
class PlanContext {
 public:
  /// `scratch` holds the plan's scratch_bytes() and stays where it is. Contexts whose runs follow
  /// one another in a stream may share it. Throws Error.
  PlanContext(const Plan& plan, const DeviceBuffer& scratch);

  /// The sizes of an output for the inputs that are set.
  [[nodiscard]] nvinfer1::Dims shape(const std::string& name) const;
  /// Throws Error(invalid_argument) for sizes outside of the profile.
  void input(const std::string& name, const nvinfer1::Dims& shape, const void* data);
  /// Throws Error(corrupt) where there is no such output.
  void output(const std::string& name, void* data);
  /// Queues the computation. Throws Error.
  void run(const CudaStream& stream);

 private:
  const Plan* plan_;
  std::unique_ptr<nvinfer1::IExecutionContext> context_;
};

/// The product of all sizes.
std::size_t elements(const nvinfer1::Dims& shape);

}  // namespace kobolt
