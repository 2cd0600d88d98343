#pragma once

#include <cstddef>
#include <new>
#include <vector>

namespace kobolt {

/// Cache-line alignment for everything that kernels read with vector loads.
inline constexpr std::size_t kAlignment = 64;

template <typename T>
struct AlignedAllocator {
  using value_type = T;
  AlignedAllocator() = default;
  template <typename U>
  explicit AlignedAllocator(const AlignedAllocator<U>& /*other*/) noexcept {}
  T* allocate(std::size_t count) {
    return static_cast<T*>(::operator new(count * sizeof(T), std::align_val_t(kAlignment)));
  }
  void deallocate(T* pointer, std::size_t /*count*/) noexcept {
    ::operator delete(pointer, std::align_val_t(kAlignment));
  }
  /// Growing leaves new elements uninitialised: buffers are always written before they are read.
  template <typename U>
  void construct(U* pointer) noexcept {
    ::new (static_cast<void*>(pointer)) U;
  }
  template <typename U, typename... Arguments>
  void construct(U* pointer, Arguments&&... arguments) {
    ::new (static_cast<void*>(pointer)) U(static_cast<Arguments&&>(arguments)...);
  }
  bool operator==(const AlignedAllocator&) const = default;
};

/// A vector whose data starts on a cache line and whose new elements are not initialised.
template <typename T>
using AlignedVector = std::vector<T, AlignedAllocator<T>>;

}  // namespace kobolt
