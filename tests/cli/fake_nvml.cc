// NVIDIA's management library as a machine with one GPU has it, whose driver loses that GPU after
// $KOBOLT_FAKE_GPU_SAMPLES looks at it. With $KOBOLT_FAKE_GPU_SILENT it does not tell how busy it
// is, as of GPUs that are cut in parts.

#include <cstdlib>
#include <cstring>

namespace {

constexpr int kSuccess = 0;
constexpr int kNotSupported = 3;
constexpr int kGpuIsLost = 15;
int device;
int looks;

bool lost() {
  const char* samples = std::getenv("KOBOLT_FAKE_GPU_SAMPLES");
  return samples != nullptr && looks > std::atoi(samples);
}

}  // namespace

#pragma GCC visibility push(default)
extern "C" {

int nvmlInit_v2() { return kSuccess; }
int nvmlShutdown() { return kSuccess; }
const char* nvmlErrorString(int code) { return code == kGpuIsLost ? "GPU is lost" : "?"; }

int nvmlDeviceGetCount_v2(unsigned* count) {
  *count = 1;
  return kSuccess;
}

int nvmlDeviceGetHandleByIndex_v2(unsigned /*index*/, void** handle) {
  *handle = &device;
  return kSuccess;
}

int nvmlDeviceGetName(void* /*handle*/, char* name, unsigned size) {
  std::strncpy(name, "Imaginary GPU", size);
  return kSuccess;
}

int nvmlDeviceGetUtilizationRates(void* /*handle*/, unsigned* rates) {
  ++looks;
  if (lost()) return kGpuIsLost;
  if (std::getenv("KOBOLT_FAKE_GPU_SILENT") != nullptr) return kNotSupported;
  rates[0] = 25;
  rates[1] = 0;
  return kSuccess;
}

int nvmlDeviceGetMemoryInfo(void* /*handle*/, unsigned long long* memory) {
  if (lost()) return kGpuIsLost;
  memory[0] = 8'000'000'000;
  memory[1] = 6'000'000'000;
  memory[2] = 2'000'000'000;
  return kSuccess;
}

int nvmlDeviceGetPowerUsage(void* /*handle*/, unsigned* milliwatts) {
  if (lost() || std::getenv("KOBOLT_FAKE_GPU_SILENT") != nullptr) return kNotSupported;
  *milliwatts = 50'000;
  return kSuccess;
}

}  // extern "C"
#pragma GCC visibility pop
