#include "tensorrt/stand_in/cuda.h"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <iterator>
#include <limits>
#include <map>
#include <memory>
#include <utility>
#include <vector>

namespace stand_in {
/// Returns what was wrong with it, or nothing.
using Queued = std::function<std::string()>;
}  // namespace stand_in

struct CUgraph_st {
  std::vector<stand_in::Queued> work;
};
struct CUgraphExec_st {
  std::vector<stand_in::Queued> work;
};
struct CUstream_st {
  std::deque<stand_in::Queued> queue;
  std::unique_ptr<CUgraph_st> capture;
  bool broken = false;  // the capture: something in it is not allowed
};

namespace stand_in {
namespace {

enum class Side { device, pinned };

struct Allocation {
  std::size_t bytes = 0;
  Side side = Side::device;
};

/// What the device has.
constexpr std::size_t kMemory = std::size_t{1} << 30U;

struct Device {
  std::map<std::uintptr_t, Allocation> allocations;
  std::vector<CUstream_st*> streams;
  Counts counts;
  std::string complaints;
  std::size_t limit = std::numeric_limits<std::size_t>::max();
  bool refuses_captures = false;
};

Device& device() {
  static Device one;
  return one;
}

cudaError_t enqueue(CUstream_st& stream, Queued work) {
  if (stream.capture != nullptr) {
    stream.capture->work.push_back(std::move(work));
  } else {
    stream.queue.push_back(std::move(work));
  }
  return cudaSuccess;
}

void complain(const std::string& what) {
  std::string& all = device().complaints;
  all += (all.empty() ? "" : "; ") + what;
}

bool is_on(Side side, const void* memory, std::size_t bytes) {
  const auto at = reinterpret_cast<std::uintptr_t>(memory);
  const auto& allocations = device().allocations;
  auto after = allocations.upper_bound(at);
  if (after == allocations.begin()) return false;
  const auto& [start, allocation] = *std::prev(after);
  return allocation.side == side && at + bytes <= start + allocation.bytes;
}

void drain(CUstream_st& stream) {
  while (!stream.queue.empty()) {
    const Queued work = std::move(stream.queue.front());
    stream.queue.pop_front();
    if (std::string wrong = work(); !wrong.empty()) complain(wrong);
  }
}

/// Calls that wait, allocate or free break a capture of their thread.
bool breaks_capture() {
  for (CUstream_st* stream : device().streams) {
    if (stream->capture == nullptr) continue;
    stream->broken = true;
    return true;
  }
  return false;
}

cudaError_t allocate(void** memory, std::size_t bytes, Side side) {
  if (breaks_capture()) return cudaErrorStreamCaptureUnsupported;
  Counts& counts = device().counts;
  std::size_t& total = side == Side::device ? counts.device_bytes : counts.pinned_bytes;
  if (total + bytes > std::min(device().limit, kMemory)) return cudaErrorMemoryAllocation;
  *memory = std::malloc(bytes);
  std::memset(*memory, 0xFF, bytes);  // not a number, and no token
  device().allocations[reinterpret_cast<std::uintptr_t>(*memory)] = {bytes, side};
  total += bytes;
  return cudaSuccess;
}

cudaError_t release(void* memory, Side side) {
  if (memory == nullptr) return cudaSuccess;
  if (breaks_capture()) return cudaErrorStreamCaptureUnsupported;
  for (CUstream_st* stream : device().streams) {
    if (side == Side::device) drain(*stream);
    if (side == Side::pinned && !stream->queue.empty())
      complain("pinned memory freed while in use");
  }
  const auto found = device().allocations.find(reinterpret_cast<std::uintptr_t>(memory));
  if (found == device().allocations.end() || found->second.side != side) {
    return cudaErrorInvalidValue;
  }
  Counts& counts = device().counts;
  (side == Side::device ? counts.device_bytes : counts.pinned_bytes) -= found->second.bytes;
  std::memset(memory, 0xFF, found->second.bytes);
  device().allocations.erase(found);
  std::free(memory);
  return cudaSuccess;
}

cudaError_t copy_to_host(void* to, const void* from, std::size_t bytes, CUstream_st& stream) {
  if (!is_device(from, bytes)) return cudaErrorIllegalAddress;
  Queued work = [=] {
    std::memcpy(to, from, bytes);
    return std::string();
  };
  if (is_on(Side::pinned, to, bytes)) return enqueue(stream, std::move(work));
  if (stream.capture != nullptr) return breaks_capture(), cudaErrorStreamCaptureUnsupported;
  drain(stream);
  work();
  return cudaSuccess;
}

cudaError_t copy_to_device(void* to, const void* from, std::size_t bytes, CUstream_st& stream) {
  if (!is_device(to, bytes)) return cudaErrorIllegalAddress;
  // From memory that is not pinned nobody knows when it is read.
  if (!is_on(Side::pinned, from, bytes)) complain("an upload from memory that is not pinned");
  return enqueue(stream, [=] {
    std::memcpy(to, from, bytes);
    return std::string();
  });
}

}  // namespace

std::string missing_device() { return {}; }

cudaError_t compute(cudaStream_t stream, std::span<const Region> regions, Work work) {
  std::vector<void*> places;
  for (const Region& region : regions) places.push_back(region.memory);
  return enqueue(*stream,
                 [places = std::move(places), work = std::move(work)] { return work(places); });
}

bool is_capturing(cudaStream_t stream) { return stream->capture != nullptr; }

bool is_device(const void* memory, std::size_t bytes) { return is_on(Side::device, memory, bytes); }

Counts& counts() { return device().counts; }

std::string take_complaints() { return std::exchange(device().complaints, {}); }

void limit_device_bytes(std::size_t bytes) { device().limit = bytes; }

void refuse_captures(bool refuse) { device().refuses_captures = refuse; }

}  // namespace stand_in

using stand_in::device;

const char* cudaGetErrorString(cudaError_t error) {
  switch (error) {
    case cudaSuccess:
      return "no error";
    case cudaErrorMemoryAllocation:
      return "out of memory";
    case cudaErrorStreamCaptureUnsupported:
      return "operation not permitted when stream is capturing";
    default:
      return "invalid argument";
  }
}

cudaError_t cudaGetLastError() { return cudaSuccess; }

cudaError_t cudaGetDeviceCount(int* count) {
  *count = 1;
  return cudaSuccess;
}

cudaError_t cudaGetDeviceProperties(cudaDeviceProp* properties, int /*device*/) {
  *properties = {.name = "the host's memory", .major = 1, .minor = 0};
  return cudaSuccess;
}

cudaError_t cudaMalloc(void** memory, std::size_t bytes) {
  return stand_in::allocate(memory, bytes, stand_in::Side::device);
}
cudaError_t cudaFree(void* memory) { return stand_in::release(memory, stand_in::Side::device); }
cudaError_t cudaMallocHost(void** memory, std::size_t bytes) {
  return stand_in::allocate(memory, bytes, stand_in::Side::pinned);
}
cudaError_t cudaFreeHost(void* memory) { return stand_in::release(memory, stand_in::Side::pinned); }

cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned /*flags*/) {
  *stream = new CUstream_st;
  device().streams.push_back(*stream);
  return cudaSuccess;
}

cudaError_t cudaStreamDestroy(cudaStream_t stream) {
  stand_in::drain(*stream);
  std::erase(device().streams, stream);
  delete stream;
  return cudaSuccess;
}

cudaError_t cudaStreamSynchronize(cudaStream_t stream) {
  if (stand_in::breaks_capture()) return cudaErrorStreamCaptureUnsupported;
  stand_in::drain(*stream);
  return cudaSuccess;
}

cudaError_t cudaMemcpyAsync(void* to, const void* from, std::size_t bytes, cudaMemcpyKind kind,
                            cudaStream_t stream) {
  if (kind == cudaMemcpyHostToDevice) return stand_in::copy_to_device(to, from, bytes, *stream);
  if (kind == cudaMemcpyDeviceToHost) return stand_in::copy_to_host(to, from, bytes, *stream);
  return cudaMemcpy2DAsync(to, bytes, from, bytes, bytes, 1, kind, stream);
}

cudaError_t cudaMemcpy2DAsync(void* to, std::size_t to_pitch, const void* from,
                              std::size_t from_pitch, std::size_t width, std::size_t height,
                              cudaMemcpyKind kind, cudaStream_t stream) {
  if (kind != cudaMemcpyDeviceToDevice || height == 0 || width > to_pitch || width > from_pitch) {
    return cudaErrorInvalidValue;
  }
  if (!stand_in::is_device(to, (height - 1) * to_pitch + width) ||
      !stand_in::is_device(from, (height - 1) * from_pitch + width)) {
    return cudaErrorIllegalAddress;
  }
  return stand_in::enqueue(*stream, [=] {
    for (std::size_t row = 0; row < height; ++row) {
      std::memcpy(static_cast<char*>(to) + row * to_pitch,
                  static_cast<const char*>(from) + row * from_pitch, width);
    }
    return std::string();
  });
}

cudaError_t cudaMemsetAsync(void* memory, int value, std::size_t bytes, cudaStream_t stream) {
  if (!stand_in::is_device(memory, bytes)) return cudaErrorIllegalAddress;
  return stand_in::enqueue(*stream, [=] {
    std::memset(memory, value, bytes);
    return std::string();
  });
}

cudaError_t cudaStreamBeginCapture(cudaStream_t stream, cudaStreamCaptureMode /*mode*/) {
  if (device().refuses_captures || stream->capture != nullptr) {
    return cudaErrorStreamCaptureUnsupported;
  }
  stream->capture = std::make_unique<CUgraph_st>();
  stream->broken = false;
  return cudaSuccess;
}

cudaError_t cudaStreamEndCapture(cudaStream_t stream, cudaGraph_t* graph) {
  const std::unique_ptr<CUgraph_st> captured = std::move(stream->capture);
  *graph = nullptr;
  if (captured == nullptr || stream->broken) return cudaErrorStreamCaptureUnsupported;
  *graph = new CUgraph_st(*captured);
  return cudaSuccess;
}

cudaError_t cudaGraphInstantiateWithFlags(cudaGraphExec_t* executable, cudaGraph_t graph,
                                          unsigned long long /*flags*/) {
  *executable = new CUgraphExec_st{graph->work};
  ++device().counts.graphs;
  return cudaSuccess;
}

cudaError_t cudaGraphDestroy(cudaGraph_t graph) {
  delete graph;
  return cudaSuccess;
}

cudaError_t cudaGraphLaunch(cudaGraphExec_t executable, cudaStream_t stream) {
  ++device().counts.launches;
  for (const stand_in::Queued& work : executable->work) stream->queue.push_back(work);
  return cudaSuccess;
}

cudaError_t cudaGraphExecDestroy(cudaGraphExec_t executable) {
  delete executable;
  return cudaSuccess;
}
