#pragma once

#include <cuda_runtime_api.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>

namespace kobolt {

/// Throws Error(unsupported) with CUDA's own words unless `status` is success.
void check_cuda(cudaError_t status, const char* what);

/// Where a CudaBuffer's memory is.
enum class CudaSide : std::uint8_t {
  device,
  host,  ///< pinned: the device reads and writes it by itself, later than the call that asks it to
};

/// Memory that grows when asked to; what was in it is then lost.
template <CudaSide side>
class CudaBuffer {
 public:
  CudaBuffer() = default;
  CudaBuffer(CudaBuffer&& other) noexcept;
  CudaBuffer& operator=(CudaBuffer&& other) noexcept;
  ~CudaBuffer();

  /// Throws Error(unsupported) with the size where there is no more.
  void reserve(std::size_t bytes);
  [[nodiscard]] std::byte* data() const { return data_; }

 private:
  void free();

  std::byte* data_ = nullptr;
  std::size_t size_ = 0;
};

using DeviceBuffer = CudaBuffer<CudaSide::device>;
using PinnedBuffer = CudaBuffer<CudaSide::host>;

/// A queue of work on the device, of which the default stream knows nothing.
class CudaStream {
 public:
  CudaStream();
  CudaStream(const CudaStream&) = delete;
  CudaStream& operator=(const CudaStream&) = delete;
  ~CudaStream();

  [[nodiscard]] cudaStream_t get() const { return stream_; }
  /// Memory on either side; returns before it is copied.
  void copy(void* to, const void* from, std::size_t bytes, cudaMemcpyKind kind) const;
  /// On the device: `rows` rows of `size` bytes, adjacent in `from`, `distance` bytes apart in
  /// `to`.
  void copy_rows(void* to, std::size_t distance, const void* from, std::size_t size,
                 std::size_t rows) const;
  void zero(void* memory, std::size_t bytes) const;
  void wait() const;
  /// Waits without telling what became of the work: for destructors.
  void settle() const noexcept;

 private:
  cudaStream_t stream_ = nullptr;
};

/// Work of a stream that was recorded once and is launched as a whole: one call in place of one for
/// each kernel. It reads and writes the memory that it was recorded with.
class CudaGraph {
 public:
  /// Records what `work` puts into the stream; nothing of it runs. Nothing where it cannot be
  /// recorded; it may run by itself all the same.
  static std::optional<CudaGraph> record(const CudaStream& stream,
                                         const std::function<void()>& work);
  void launch(const CudaStream& stream) const;

 private:
  struct Destroy {
    void operator()(cudaGraphExec_t graph) const { (void)cudaGraphExecDestroy(graph); }
  };
  explicit CudaGraph(cudaGraphExec_t graph) : graph_(graph) {}

  std::unique_ptr<std::remove_pointer_t<cudaGraphExec_t>, Destroy> graph_;
};

struct CudaDevice {
  std::string name;
  std::string compute_capability;
};
/// The first one. Throws Error(unsupported) where there is none, or no driver.
CudaDevice first_cuda_device();

}  // namespace kobolt
