#pragma once

#include <cuda_runtime_api.h>

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

/// TensorRT's runtime as far as src/tensorrt uses it, over graphs that a test computes
/// (stand_in/tensorrt.cc): the names of NVIDIA's header of this name, declared anew.
#define NV_TENSORRT_MAJOR 11
#define NV_TENSORRT_MINOR 1

namespace stand_in {
struct Engine;
}

namespace nvinfer1 {

class INetworkDefinition;

struct Dims {
  std::int32_t nbDims;
  std::int64_t d[8];
};
struct Dims2 : Dims {
  Dims2(std::int64_t a, std::int64_t b) : Dims{2, {a, b}} {}
};
struct Dims3 : Dims {
  Dims3(std::int64_t a, std::int64_t b, std::int64_t c) : Dims{3, {a, b, c}} {}
};
struct Dims4 : Dims {
  Dims4(std::int64_t a, std::int64_t b, std::int64_t c, std::int64_t e) : Dims{4, {a, b, c, e}} {}
};

enum class DataType : std::int32_t { kFLOAT = 0, kHALF = 1, kINT32 = 3, kBF16 = 7, kINT64 = 8 };
enum class TensorIOMode : std::int32_t { kNONE, kINPUT, kOUTPUT };
enum class ExecutionContextAllocationStrategy : std::int32_t { kSTATIC = 0, kUSER_MANAGED = 2 };

class ILogger {
 public:
  enum class Severity : std::int32_t { kINTERNAL_ERROR, kERROR, kWARNING, kINFO, kVERBOSE };
  virtual void log(Severity severity, const char* message) noexcept = 0;
  virtual ~ILogger() = default;
};

/// Sizes and addresses of a run.
struct Bindings {
  std::map<std::string, Dims> shapes;
  std::map<std::string, void*> addresses;
};

class IExecutionContext {
 public:
  IExecutionContext(std::shared_ptr<const stand_in::Engine> engine, ILogger& log);
  Dims getTensorShape(const char* name) const noexcept;
  bool setInputShape(const char* name, const Dims& shape) noexcept;
  bool setInputTensorAddress(const char* name, const void* data) noexcept;
  bool setTensorAddress(const char* name, void* data) noexcept;
  void setDeviceMemoryV2(void* memory, std::int64_t bytes) noexcept;
  bool enqueueV3(cudaStream_t stream) noexcept;

 private:
  bool refuse(const std::string& why) noexcept;

  std::shared_ptr<const stand_in::Engine> engine_;
  ILogger& log_;
  Bindings bindings_;
  void* scratch_ = nullptr;
  bool new_shapes_ = true;  // nothing has run with them yet
  /// Counts changes, by which graphs that were recorded from the context become invalid.
  std::shared_ptr<int> changes_ = std::make_shared<int>(0);
};

class ICudaEngine {
 public:
  ICudaEngine(std::shared_ptr<const stand_in::Engine> engine, ILogger& log)
      : engine_(std::move(engine)), log_(log) {}
  std::int32_t getNbIOTensors() const noexcept;
  const char* getIOTensorName(std::int32_t index) const noexcept;
  TensorIOMode getTensorIOMode(const char* name) const noexcept;
  DataType getTensorDataType(const char* name) const noexcept;
  Dims getTensorShape(const char* name) const noexcept;
  std::int64_t getDeviceMemorySizeV2() const noexcept;
  IExecutionContext* createExecutionContext(ExecutionContextAllocationStrategy strategy);

 private:
  std::shared_ptr<const stand_in::Engine> engine_;
  ILogger& log_;
};

class IRuntime {
 public:
  explicit IRuntime(ILogger& log) : log_(log) {}
  /// Of what stand_in::plan_of() made.
  ICudaEngine* deserializeCudaEngine(const void* bytes, std::size_t size);

 private:
  ILogger& log_;
};

IRuntime* createInferRuntime(ILogger& log);

}  // namespace nvinfer1
