#include "benchmark/gpu.h"

#include <dlfcn.h>

#include <algorithm>
#include <array>
#include <chrono>

namespace kobolt {
namespace {

struct CloseLibrary {
  void operator()(void* handle) const { ::dlclose(handle); }
};

// Of nvml.h, as NVIDIA's API reference describes it; stable since its version 1.
using NvmlDevice = struct nvmlDevice_st*;
struct NvmlUtilization {
  unsigned gpu = 0;  // percent
  unsigned memory = 0;
};
struct NvmlMemory {
  unsigned long long total = 0;
  unsigned long long free = 0;
  unsigned long long used = 0;
};
constexpr int kNvmlSuccess = 0;
constexpr std::chrono::milliseconds kBetweenSamples(100);

struct GpuSums {
  NvmlDevice device = nullptr;
  GpuUse use;  // sums until use() divides them
  double samples = 0;
  double power_samples = 0;
};

}  // namespace

class GpuMonitor::Nvml {
 public:
  static std::unique_ptr<Nvml> open() {
    auto nvml = std::make_unique<Nvml>();
    return nvml->load() ? std::move(nvml) : nullptr;
  }
  Nvml() = default;
  Nvml(const Nvml&) = delete;
  Nvml& operator=(const Nvml&) = delete;
  ~Nvml() {
    if (started_) shutdown_();
  }

  void sample() {
    const auto now = std::chrono::steady_clock::now();
    if (now < next_) return;
    next_ = now + kBetweenSamples;
    for (GpuSums& gpu : gpus_) {
      NvmlUtilization utilization;
      NvmlMemory memory;
      if (utilization_(gpu.device, &utilization) != kNvmlSuccess ||
          memory_(gpu.device, &memory) != kNvmlSuccess) {
        continue;
      }
      ++gpu.samples;
      gpu.use.utilization += utilization.gpu / 100.0;
      gpu.use.memory = std::max<std::uint64_t>(gpu.use.memory, memory.used);
      gpu.use.memory_all = memory.total;
      unsigned milliwatts = 0;  // not every GPU tells
      if (power_ != nullptr && power_(gpu.device, &milliwatts) == kNvmlSuccess) {
        ++gpu.power_samples;
        gpu.use.power += milliwatts / 1e3;
      }
    }
  }

  [[nodiscard]] std::vector<GpuUse> use() const {
    std::vector<GpuUse> uses;
    for (const GpuSums& gpu : gpus_) {
      if (gpu.samples == 0) continue;
      uses.push_back(gpu.use);
      uses.back().utilization /= gpu.samples;
      if (gpu.power_samples > 0) uses.back().power /= gpu.power_samples;
    }
    return uses;
  }

 private:
  template <typename Function>
  Function* symbol(const char* name) {
    return reinterpret_cast<Function*>(::dlsym(library_.get(), name));
  }

  bool load() {
    library_.reset(::dlopen("libnvidia-ml.so.1", RTLD_LAZY | RTLD_LOCAL));
    if (!library_) return false;
    auto* init = symbol<int()>("nvmlInit_v2");
    auto* count = symbol<int(unsigned*)>("nvmlDeviceGetCount_v2");
    auto* device = symbol<int(unsigned, NvmlDevice*)>("nvmlDeviceGetHandleByIndex_v2");
    auto* name = symbol<int(NvmlDevice, char*, unsigned)>("nvmlDeviceGetName");
    shutdown_ = symbol<int()>("nvmlShutdown");
    utilization_ = symbol<int(NvmlDevice, NvmlUtilization*)>("nvmlDeviceGetUtilizationRates");
    memory_ = symbol<int(NvmlDevice, NvmlMemory*)>("nvmlDeviceGetMemoryInfo");
    power_ = symbol<int(NvmlDevice, unsigned*)>("nvmlDeviceGetPowerUsage");
    const bool complete = init != nullptr && count != nullptr && device != nullptr &&
                          name != nullptr && shutdown_ != nullptr && utilization_ != nullptr &&
                          memory_ != nullptr;
    if (!complete || init() != kNvmlSuccess) return false;
    started_ = true;
    unsigned gpus = 0;
    if (count(&gpus) != kNvmlSuccess) return false;
    for (unsigned i = 0; i < gpus; ++i) {
      GpuSums gpu;
      std::array<char, 96> text{};
      if (device(i, &gpu.device) != kNvmlSuccess) continue;
      if (name(gpu.device, text.data(), text.size()) == kNvmlSuccess) gpu.use.name = text.data();
      gpus_.push_back(std::move(gpu));
    }
    return !gpus_.empty();
  }

  std::unique_ptr<void, CloseLibrary> library_;
  bool started_ = false;
  int (*shutdown_)() = nullptr;
  int (*utilization_)(NvmlDevice, NvmlUtilization*) = nullptr;
  int (*memory_)(NvmlDevice, NvmlMemory*) = nullptr;
  int (*power_)(NvmlDevice, unsigned*) = nullptr;
  std::vector<GpuSums> gpus_;
  std::chrono::steady_clock::time_point next_;
};

GpuMonitor::GpuMonitor() : nvml_(Nvml::open()) {}
GpuMonitor::~GpuMonitor() = default;
void GpuMonitor::sample() {
  if (nvml_) nvml_->sample();
}
std::vector<GpuUse> GpuMonitor::use() const { return nvml_ ? nvml_->use() : std::vector<GpuUse>(); }

}  // namespace kobolt
