#include "tensorrt/plan.h"

#include <fmt/format.h>

#include <cstdint>

#include "kobolt/error.h"

namespace kobolt {
namespace {

std::string text_of(const nvinfer1::Dims& shape) {
  std::string text;
  for (int i = 0; i < shape.nbDims; ++i) {
    text += fmt::format("{}{}", i == 0 ? "" : " x ", shape.d[i]);
  }
  return text;
}

}  // namespace

std::size_t elements(const nvinfer1::Dims& shape) {
  std::size_t count = 1;
  for (int i = 0; i < shape.nbDims; ++i) count *= static_cast<std::size_t>(shape.d[i]);
  return count;
}

std::unique_ptr<nvinfer1::IRuntime> new_runtime(TensorRTLog& log) {
  std::unique_ptr<nvinfer1::IRuntime> runtime(nvinfer1::createInferRuntime(log));
  if (runtime != nullptr) return runtime;
  throw Error(ErrorKind::unsupported, "TensorRT cannot start", {.found = log.take()});
}

Plan::Plan(nvinfer1::IRuntime& runtime, std::span<const std::byte> bytes, const std::string& name,
           TensorRTLog& log)
    : name_(name), log_(log), engine_(runtime.deserializeCudaEngine(bytes.data(), bytes.size())) {
  if (engine_ != nullptr) return;
  throw Error(ErrorKind::corrupt, "TensorRT cannot load an engine",
              {.field = name, .found = log_.take()});
}

std::vector<std::string> Plan::names(nvinfer1::TensorIOMode mode) const {
  std::vector<std::string> names;
  for (int i = 0; i < engine_->getNbIOTensors(); ++i) {
    const char* name = engine_->getIOTensorName(i);
    if (engine_->getTensorIOMode(name) == mode) names.emplace_back(name);
  }
  return names;
}

std::size_t Plan::element_size(const std::string& name) const {
  switch (engine_->getTensorDataType(name.c_str())) {
    case nvinfer1::DataType::kINT64:
      return 8;
    case nvinfer1::DataType::kHALF:
    case nvinfer1::DataType::kBF16:
      return 2;
    default:
      return 4;
  }
}

nvinfer1::Dims Plan::fixed_shape(const std::string& name) const {
  return engine_->getTensorShape(name.c_str());
}

std::size_t Plan::scratch_bytes() const {
#if NV_TENSORRT_MAJOR > 10 || NV_TENSORRT_MINOR >= 1
  return static_cast<std::size_t>(engine_->getDeviceMemorySizeV2());
#else
  return engine_->getDeviceMemorySize();
#endif
}

PlanContext::PlanContext(const Plan& plan, const DeviceBuffer& scratch)
    : plan_(&plan),
      context_(plan.engine_->createExecutionContext(
          nvinfer1::ExecutionContextAllocationStrategy::kUSER_MANAGED)) {
  if (context_ == nullptr) {
    throw Error(ErrorKind::unsupported, "TensorRT cannot prepare an engine to run",
                {.field = plan.name_, .found = plan.log_.take()});
  }
#if NV_TENSORRT_MAJOR > 10 || NV_TENSORRT_MINOR >= 1
  context_->setDeviceMemoryV2(scratch.data(), static_cast<std::int64_t>(plan.scratch_bytes()));
#else
  context_->setDeviceMemory(scratch.data());
#endif
}

nvinfer1::Dims PlanContext::shape(const std::string& name) const {
  return context_->getTensorShape(name.c_str());
}

void PlanContext::input(const std::string& name, const nvinfer1::Dims& shape, const void* data) {
  if (context_->setInputShape(name.c_str(), shape) &&
      context_->setInputTensorAddress(name.c_str(), data)) {
    return;
  }
  throw Error(ErrorKind::invalid_argument, "the shape lies outside of the engine's profile",
              {.field = plan_->name_ + ", " + name,
               .found = text_of(shape) + "; " + plan_->log_.take(),
               .hint = "convert with a larger max_batch_size, or with dynamic axes"});
}

void PlanContext::output(const std::string& name, void* data) {
  if (context_->setTensorAddress(name.c_str(), data)) return;
  throw Error(ErrorKind::corrupt, "the engine lacks an output",
              {.field = plan_->name_ + ", " + name, .found = plan_->log_.take()});
}

void PlanContext::run(const CudaStream& stream) {
  if (context_->enqueueV3(stream.get())) return;
  throw Error(ErrorKind::unsupported, "TensorRT cannot run an engine",
              {.field = plan_->name_, .found = plan_->log_.take()});
}

}  // namespace kobolt
