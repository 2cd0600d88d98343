#include <NvInfer.h>
#include <fmt/format.h>

#include <span>
#include <string>

#include "export/tensorrt/plan_file.h"
#include "kobolt/error.h"
#include "kobolt/version.h"
#include "tensorrt/build.h"
#include "tensorrt/cuda.h"
#include "tensorrt/plan.h"
#include "tensorrt/tensorrt_cohort.h"

namespace kobolt {
namespace {

// 100300 stands for 10.3.0, as of version 10.
std::string version_text(int version) {
  return fmt::format("{}.{}.{}", version / 10000, version / 100 % 100, version % 100);
}

class TensorRT : public TensorRTComponent {
 public:
  [[nodiscard]] std::string version() const override { return version_text(getInferLibVersion()); }

  [[nodiscard]] TensorRTPlatform platform() const override {
    const CudaDevice device = first_cuda_device();
    return {.version = version(),
            .device = device.name,
            .compute_capability = device.compute_capability};
  }

  TensorRTPlans build(const TensorRTBuild& build) override { return build_plans(build, log_); }

  std::string why_not_here(const TensorRTPlans& plans) override {
    try {
      const auto runtime = new_runtime(log_);
      for (const auto& [name, bytes] : plans) {
        const Plan loaded(*runtime, std::as_bytes(std::span(bytes)), name, log_);
      }
    } catch (const Error& error) {
      return error.what();
    }
    return {};
  }

  ForeignModel open(const std::filesystem::path& path, int /*threads*/) override {
    const PlanFile file = PlanFile::open(path);
    file.require(platform());
    return {.backend = std::make_unique<TensorRTBackend>(file, log_),
            .metadata = file.file->metadata(),
            .tokenizer = file.file->tokenizer_files(),
            .library = "TensorRT " + version() + ", " + file.platform.device,
            .file_bytes = file.file->size(),
            .weight_bytes = file.file->size()};
  }

 private:
  TensorRTLog log_;
};

}  // namespace
}  // namespace kobolt

extern "C" KOBOLT_API const char* kobolt_component_version() { return kobolt::version().data(); }

extern "C" KOBOLT_API void* kobolt_component() {
  static kobolt::TensorRT component;
  return static_cast<kobolt::BackendComponent*>(&component);
}
