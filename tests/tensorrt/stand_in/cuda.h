#pragma once

#include <cuda_runtime_api.h>

#include <cstddef>
#include <functional>
#include <string>

/// What the stand-in of CUDA tells tests and the stand-in of TensorRT. It is strict: work of a
/// stream runs when somebody waits for it and not before, memory is not a number until written,
/// what lies outside of an allocation is refused, and so is what a capture forbids.
namespace stand_in {

/// Work for a stream, or for the graph that it is recorded into. Returns what was wrong with it, or
/// nothing.
using Work = std::function<std::string()>;
cudaError_t enqueue(cudaStream_t stream, Work work);
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

/// Complaints since the last call: what a real device would have answered with undefined behaviour.
std::string take_complaints();

/// From now on every allocation fails that would make more bytes than these.
void limit_device_bytes(std::size_t bytes);
/// From now on nothing can be recorded.
void refuse_captures(bool refuse);

}  // namespace stand_in
