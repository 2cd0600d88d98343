#include "benchmark/gpu.h"

#include <dlfcn.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <optional>
#include <string>
#include <utility>

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
constexpr int kNvmlNotSupported = 3;
constexpr std::chrono::milliseconds kBetweenSamples(100);

// The mean of what not every GPU tells.
class Mean {
 public:
  void add(double value) {
    sum_ += value;
    ++count_;
  }
  [[nodiscard]] std::optional<double> value() const {
    if (count_ == 0) return std::nullopt;
    return sum_ / count_;
  }

 private:
  double sum_ = 0;
  int count_ = 0;
};

struct WatchedGpu {
  NvmlDevice device = nullptr;
  GpuUse use;
  Mean utilization;
  Mean power;
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
    for (WatchedGpu& gpu : gpus_) {
      if (gpu.use.error.empty()) look_at(gpu);
    }
  }

  [[nodiscard]] std::vector<GpuUse> use() const {
    std::vector<GpuUse> uses;
    for (const WatchedGpu& gpu : gpus_) {
      if (gpu.use.samples == 0 && gpu.use.error.empty()) continue;
      uses.push_back(gpu.use);
      uses.back().utilization = gpu.utilization.value();
      uses.back().power = gpu.power.value();
    }
    return uses;
  }

 private:
  template <typename Function>
  Function* symbol(const char* name) {
    return reinterpret_cast<Function*>(::dlsym(library_.get(), name));
  }

  // A GPU that fails once is asked no more: one that fell off its bus may take long to say so.
  void look_at(WatchedGpu& gpu) {
    NvmlUtilization utilization;
    NvmlMemory memory;
    const int busy = utilization_(gpu.device, &utilization);
    const int failure =
        busy == kNvmlSuccess || busy == kNvmlNotSupported ? memory_(gpu.device, &memory) : busy;
    if (failure != kNvmlSuccess) {
      gpu.use.error = error_text(failure);
      return;
    }
    ++gpu.use.samples;
    if (busy == kNvmlSuccess) gpu.utilization.add(utilization.gpu / 100.0);
    gpu.use.memory = std::max<std::uint64_t>(gpu.use.memory, memory.used);
    gpu.use.memory_all = memory.total;
    unsigned milliwatts = 0;
    if (power_ != nullptr && power_(gpu.device, &milliwatts) == kNvmlSuccess) {
      gpu.power.add(milliwatts / 1e3);
    }
  }

  [[nodiscard]] std::string error_text(int code) const {
    const char* text = error_string_ == nullptr ? nullptr : error_string_(code);
    return text == nullptr ? "NVML error " + std::to_string(code) : text;
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
    error_string_ = symbol<const char*(int)>("nvmlErrorString");
    power_ = symbol<int(NvmlDevice, unsigned*)>("nvmlDeviceGetPowerUsage");
    const bool complete = init != nullptr && count != nullptr && device != nullptr &&
                          name != nullptr && shutdown_ != nullptr && utilization_ != nullptr &&
                          memory_ != nullptr;
    if (!complete || init() != kNvmlSuccess) return false;
    started_ = true;
    unsigned gpus = 0;
    if (count(&gpus) != kNvmlSuccess) return false;
    for (unsigned i = 0; i < gpus; ++i) {
      WatchedGpu gpu;
      gpu.use.name = "GPU " + std::to_string(i);
      std::array<char, 96> text{};
      if (const int failure = device(i, &gpu.device); failure != kNvmlSuccess) {
        gpu.use.error = error_text(failure);
      } else if (name(gpu.device, text.data(), text.size()) == kNvmlSuccess) {
        gpu.use.name = text.data();
      }
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
  const char* (*error_string_)(int) = nullptr;
  std::vector<WatchedGpu> gpus_;
  std::chrono::steady_clock::time_point next_;
};

GpuMonitor::GpuMonitor() : nvml_(Nvml::open()) {}
GpuMonitor::~GpuMonitor() = default;
void GpuMonitor::sample() {
  if (nvml_) nvml_->sample();
}
std::vector<GpuUse> GpuMonitor::use() const { return nvml_ ? nvml_->use() : std::vector<GpuUse>(); }

}  // namespace kobolt
