#include "tensorrt/cuda.h"

#include <fmt/format.h>

#include <utility>

#include "kobolt/error.h"

namespace kobolt {

void check_cuda(cudaError_t status, const char* what) {
  if (status == cudaSuccess) return;
  throw Error(ErrorKind::unsupported, fmt::format("CUDA: {}", cudaGetErrorString(status)),
              {.field = what});
}

DeviceBuffer::DeviceBuffer(DeviceBuffer&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}

DeviceBuffer& DeviceBuffer::operator=(DeviceBuffer&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  return *this;
}

DeviceBuffer::~DeviceBuffer() { (void)cudaFree(data_); }

void DeviceBuffer::reserve(std::size_t bytes) {
  if (bytes <= size_) return;
  (void)cudaFree(std::exchange(data_, nullptr));
  size_ = 0;
  void* memory = nullptr;
  check_cuda(cudaMalloc(&memory, bytes), "device memory");
  data_ = static_cast<std::byte*>(memory);
  size_ = bytes;
}

CudaStream::CudaStream() { check_cuda(cudaStreamCreate(&stream_), "stream"); }

CudaStream::~CudaStream() { (void)cudaStreamDestroy(stream_); }

void CudaStream::copy(void* to, const void* from, std::size_t bytes, cudaMemcpyKind kind) const {
  check_cuda(cudaMemcpyAsync(to, from, bytes, kind, stream_), "copy");
}

void CudaStream::wait() const { check_cuda(cudaStreamSynchronize(stream_), "execution"); }

CudaDevice first_cuda_device() {
  int count = 0;
  check_cuda(cudaGetDeviceCount(&count), "devices");
  if (count == 0) throw Error(ErrorKind::unsupported, "CUDA sees no device");
  cudaDeviceProp properties{};
  check_cuda(cudaGetDeviceProperties(&properties, 0), "device 0");
  return {.name = properties.name,
          .compute_capability = fmt::format("{}.{}", properties.major, properties.minor)};
}

}  // namespace kobolt
