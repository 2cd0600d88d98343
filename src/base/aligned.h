#pragma once

#include <cstddef>
#include <new>
#include <vector>

#include "base/large_pages.h"

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
    const std::size_t bytes = count * sizeof(T);
    auto* const memory = ::operator new(bytes, alignment(bytes));
    if (is_large(bytes)) prefer_large_pages(memory, bytes);
    return static_cast<T*>(memory);
  }
  void deallocate(T* pointer, std::size_t count) noexcept {
    ::operator delete(pointer, alignment(count * sizeof(T)));
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

 private:
  // Only whole large pages are asked for, so nothing is wasted.
  static bool is_large(std::size_t bytes) { return bytes >= kLargePage; }
  static std::align_val_t alignment(std::size_t bytes) {
    return std::align_val_t(is_large(bytes) ? kLargePage : kAlignment);
  }
};

/// A vector whose data starts on a cache line, that of 2 MiB and more on a large page, and whose
/// new elements are not initialised.
template <typename T>
using AlignedVector = std::vector<T, AlignedAllocator<T>>;

}  // namespace kobolt
