#pragma once

#include <cuda_runtime_api.h>

#include <cstddef>
#include <string>

namespace kobolt {

/// Throws Error(unsupported) with CUDA's own words unless `status` is success.
void check_cuda(cudaError_t status, const char* what);

/// Memory of the device that grows when asked to; what was in it is then lost.
class DeviceBuffer {
 public:
  DeviceBuffer() = default;
  DeviceBuffer(DeviceBuffer&& other) noexcept;
  DeviceBuffer& operator=(DeviceBuffer&& other) noexcept;
  ~DeviceBuffer();

  void reserve(std::size_t bytes);
  [[nodiscard]] std::byte* data() const { return data_; }

 private:
  std::byte* data_ = nullptr;
  std::size_t size_ = 0;
};

/// A queue of work on the device.
class CudaStream {
 public:
  CudaStream();
  CudaStream(const CudaStream&) = delete;
  CudaStream& operator=(const CudaStream&) = delete;
  ~CudaStream();

  [[nodiscard]] cudaStream_t get() const { return stream_; }
  /// Memory on either side; returns before it is copied.
  void copy(void* to, const void* from, std::size_t bytes, cudaMemcpyKind kind) const;
  void wait() const;

 private:
  cudaStream_t stream_ = nullptr;
};

struct CudaDevice {
  std::string name;
  std::string compute_capability;
};
/// The first one. Throws Error(unsupported) where there is none, or no driver.
CudaDevice first_cuda_device();

}  // namespace kobolt
