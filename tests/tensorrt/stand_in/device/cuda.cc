#include "tensorrt/stand_in/cuda.h"

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <limits>
#include <map>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

// CUDA itself on a GPU. The linker sends some calls through here (--wrap=NAME makes them
// __wrap_NAME, and NAME itself __real_NAME), where they are counted, limited or refused; memory is
// no number until it is written.
// NOLINTBEGIN(bugprone-reserved-identifier): the linker's names
extern "C" {
cudaError_t __real_cudaMalloc(void** memory, std::size_t bytes);
cudaError_t __real_cudaFree(void* memory);
cudaError_t __real_cudaMallocHost(void** memory, std::size_t bytes);
cudaError_t __real_cudaFreeHost(void* memory);
cudaError_t __real_cudaStreamBeginCapture(cudaStream_t stream, cudaStreamCaptureMode mode);
cudaError_t __real_cudaGraphInstantiateWithFlags(cudaGraphExec_t* executable, cudaGraph_t graph,
                                                 unsigned long long flags);
cudaError_t __real_cudaGraphLaunch(cudaGraphExec_t executable, cudaStream_t stream);
}
// NOLINTEND(bugprone-reserved-identifier)

namespace stand_in {
namespace {

constexpr int kNoNumber = 0xFF;  // in every byte

/// Memory that was allocated, on one side.
struct Side {
  std::map<std::uintptr_t, std::size_t> allocations;
  std::size_t* total;
};

struct Process {
  Counts counts;
  Side device{.total = &counts.device_bytes};
  Side pinned{.total = &counts.pinned_bytes};
  std::size_t limit = std::numeric_limits<std::size_t>::max();
  bool refuses_captures = false;
  std::mutex mutex;  // of the complaints: work is done by threads of CUDA's
  std::string complaints;
};

Process& process() {
  static Process one;
  return one;
}

void complain(const std::string& what) {
  const std::lock_guard lock(process().mutex);
  std::string& all = process().complaints;
  all += (all.empty() ? "" : "; ") + what;
}

using Allocate = cudaError_t (*)(void** memory, std::size_t bytes);
using Release = cudaError_t (*)(void* memory);

cudaError_t allocate(Side& side, void** memory, std::size_t bytes, Allocate allocate) {
  if (*side.total + bytes > process().limit) return cudaErrorMemoryAllocation;
  cudaError_t status = allocate(memory, bytes);
  if (status != cudaSuccess) return status;
  status = cudaMemset(*memory, kNoNumber, bytes);
  if (status == cudaSuccess) status = cudaDeviceSynchronize();
  side.allocations[reinterpret_cast<std::uintptr_t>(*memory)] = bytes;
  *side.total += bytes;
  return status;
}

cudaError_t release(Side& side, void* memory, Release release) {
  const auto found = side.allocations.find(reinterpret_cast<std::uintptr_t>(memory));
  if (found == side.allocations.end()) {
    complain("freed memory that is not allocated");
    return cudaErrorInvalidValue;
  }
  *side.total -= found->second;
  side.allocations.erase(found);
  const cudaError_t status = release(memory);
  // Destructors do not look at it.
  if (status != cudaSuccess) complain(cudaGetErrorString(status));
  return status;
}

/// Pinned memory in which computations find their regions. One after the other may use it, since
/// all that is queued at a time is in one stream.
class Staging {
 public:
  Staging() { (void)__real_cudaMallocHost(&memory_, kBytes); }

  /// Of each region; nothing where there is no room.
  [[nodiscard]] std::vector<void*> places(std::span<const Region> regions) const {
    std::vector<void*> places;
    std::size_t at = 0;
    for (const Region& region : regions) {
      places.push_back(static_cast<std::byte*>(memory_) + at);
      at += (region.bytes + kAlignment - 1) / kAlignment * kAlignment;
    }
    if (memory_ == nullptr || at > kBytes) places.clear();
    return places;
  }

 private:
  static constexpr std::size_t kBytes = std::size_t{64} << 20U;
  static constexpr std::size_t kAlignment = 256;
  void* memory_ = nullptr;  // to the end of the process
};

/// A computation, for as long as a graph may hold it: to the end of the process.
struct Task {
  Work work;
  std::vector<void*> places;
};

void run(void* data) {
  const Task& task = *static_cast<const Task*>(data);
  if (const std::string wrong = task.work(task.places); !wrong.empty()) complain(wrong);
}

}  // namespace

std::string missing_device() {
  int count = 0;
  const cudaError_t status = cudaGetDeviceCount(&count);
  if (status != cudaSuccess) return std::string("CUDA: ") + cudaGetErrorString(status);
  return count == 0 ? "CUDA sees no device" : "";
}

cudaError_t compute(cudaStream_t stream, std::span<const Region> regions, Work work) {
  static const Staging staging;
  static std::vector<std::unique_ptr<Task>> tasks;
  std::vector<void*> places = staging.places(regions);
  if (places.empty()) return cudaErrorMemoryAllocation;
  tasks.push_back(std::make_unique<Task>(Task{.work = std::move(work), .places = places}));
  const auto copy = [&](bool written) {
    cudaError_t status = cudaSuccess;
    for (std::size_t i = 0; i < regions.size(); ++i) {
      const Region& region = regions[i];
      if (region.written != written || status != cudaSuccess) continue;
      status = written ? cudaMemcpyAsync(region.memory, places[i], region.bytes,
                                         cudaMemcpyHostToDevice, stream)
                       : cudaMemcpyAsync(places[i], region.memory, region.bytes,
                                         cudaMemcpyDeviceToHost, stream);
    }
    return status;
  };
  cudaError_t status = copy(false);
  if (status == cudaSuccess) status = cudaLaunchHostFunc(stream, run, tasks.back().get());
  return status == cudaSuccess ? copy(true) : status;
}

bool is_capturing(cudaStream_t stream) {
  cudaStreamCaptureStatus status = cudaStreamCaptureStatusNone;
  return cudaStreamIsCapturing(stream, &status) == cudaSuccess &&
         status != cudaStreamCaptureStatusNone;
}

bool is_device(const void* memory, std::size_t bytes) {
  const auto at = reinterpret_cast<std::uintptr_t>(memory);
  const auto& allocations = process().device.allocations;
  const auto after = allocations.upper_bound(at);
  if (after == allocations.begin()) return false;
  const auto& [start, size] = *std::prev(after);
  return at + bytes <= start + size;
}

Counts& counts() { return process().counts; }

std::string take_complaints() {
  const std::lock_guard lock(process().mutex);
  return std::exchange(process().complaints, {});
}

void limit_device_bytes(std::size_t bytes) { process().limit = bytes; }

void refuse_captures(bool refuse) { process().refuses_captures = refuse; }

}  // namespace stand_in

using stand_in::process;

// NOLINTBEGIN(bugprone-reserved-identifier): the linker's names
extern "C" {

cudaError_t __wrap_cudaMalloc(void** memory, std::size_t bytes) {
  return stand_in::allocate(process().device, memory, bytes, __real_cudaMalloc);
}
cudaError_t __wrap_cudaFree(void* memory) {
  return stand_in::release(process().device, memory, __real_cudaFree);
}
cudaError_t __wrap_cudaMallocHost(void** memory, std::size_t bytes) {
  return stand_in::allocate(process().pinned, memory, bytes, __real_cudaMallocHost);
}
cudaError_t __wrap_cudaFreeHost(void* memory) {
  return stand_in::release(process().pinned, memory, __real_cudaFreeHost);
}

cudaError_t __wrap_cudaStreamBeginCapture(cudaStream_t stream, cudaStreamCaptureMode mode) {
  if (process().refuses_captures) return cudaErrorStreamCaptureUnsupported;
  return __real_cudaStreamBeginCapture(stream, mode);
}
cudaError_t __wrap_cudaGraphInstantiateWithFlags(cudaGraphExec_t* executable, cudaGraph_t graph,
                                                 unsigned long long flags) {
  ++process().counts.graphs;
  return __real_cudaGraphInstantiateWithFlags(executable, graph, flags);
}
cudaError_t __wrap_cudaGraphLaunch(cudaGraphExec_t executable, cudaStream_t stream) {
  ++process().counts.launches;
  return __real_cudaGraphLaunch(executable, stream);
}
}
// NOLINTEND(bugprone-reserved-identifier)
