#pragma once

#include <algorithm>
#include <cstddef>
#include <span>

#include "tensorrt/cuda.h"

namespace kobolt {

/// Numbers on the device and in pinned memory of the host, of which one is a copy of the other.
/// Memory that is not pinned is no way to the device: when CUDA has read it depends on the machine.
template <typename T>
class Mirror {
 public:
  void reserve(std::size_t count) {
    device_.reserve(count * sizeof(T));
    host_.reserve(count * sizeof(T));
  }
  [[nodiscard]] T* device() const { return reinterpret_cast<T*>(device_.data()); }

  /// Queues the copy of `values`, for which there is room, to the device. The stream must have been
  /// waited for since the upload before.
  void upload(std::span<const T> values, const CudaStream& stream) {
    std::ranges::copy(values, host());
    stream.copy(device_.data(), host_.data(), values.size_bytes(), cudaMemcpyHostToDevice);
  }
  /// Queues the copy of the first `count` numbers to the host, where they are once the stream has
  /// been waited for.
  std::span<const T> download(std::size_t count, const CudaStream& stream) {
    stream.copy(host_.data(), device_.data(), count * sizeof(T), cudaMemcpyDeviceToHost);
    return {host(), count};
  }

 private:
  [[nodiscard]] T* host() const { return reinterpret_cast<T*>(host_.data()); }

  DeviceBuffer device_;
  PinnedBuffer host_;
};

}  // namespace kobolt
