#pragma once

#include <cuda_runtime_api.h>

#include <cstddef>
#include <functional>
#include <span>
#include <string>

/// What tests and the stand-in of TensorRT ask of CUDA, beside its own functions. There are two:
/// a stand-in in the host's memory (host/cuda.cc), and CUDA itself on a GPU (device/cuda.cc). The
/// first is strict: work of a stream runs when somebody waits for it and not before, memory is not
/// a number until written, what lies outside of an allocation is refused, and so is what a capture
/// forbids.
namespace stand_in {

/// Why there is no device to run on; empty: there is one.
std::string missing_device();

/// Memory of the device that a computation reads, or writes.
struct Region {
  void* memory = nullptr;
  std::size_t bytes = 0;
  bool written = false;
};
/// Computes on the host. Is given where it finds each region, in their order; returns what was
/// wrong, or nothing.
using Work = std::function<std::string(std::span<void* const> places)>;
/// Puts `work` into the stream, or the graph that it is recorded into.
cudaError_t compute(cudaStream_t stream, std::span<const Region> regions, Work work);
[[nodiscard]] bool is_capturing(cudaStream_t stream);

/// Whether these bytes are the device's.
[[nodiscard]] bool is_device(const void* memory, std::size_t bytes);

struct Counts {
  std::size_t device_bytes = 0;  ///< allocated now
  std::size_t pinned_bytes = 0;
  int graphs = 0;    ///< recorded so far
  int launches = 0;  ///< of graphs
  int contexts = 0;  ///< of TensorRT, so far
};
Counts& counts();

/// Complaints since the last call: what would be undefined behaviour, or an error that nobody waits
/// for.
std::string take_complaints();

/// From now on every allocation fails that would make more bytes than these.
void limit_device_bytes(std::size_t bytes);
/// From now on nothing can be recorded.
void refuse_captures(bool refuse);

}  // namespace stand_in
