#pragma once

#include <cstddef>

namespace kobolt {

/// Large pages begin at multiples of their size, which is this on x86-64 and on Arm with pages of
/// 4 KiB. (Where it is more, fewer are used.)
inline constexpr std::size_t kLargePage = std::size_t{2} << 20U;

/// Asks for large pages behind memory that nothing has touched yet: a processor looks up 512 times
/// fewer of them. Does nothing where the system refuses.
void prefer_large_pages(void* memory, std::size_t bytes) noexcept;

/// Whether the system gives large pages to a program that asks for them.
bool large_pages_granted();

}  // namespace kobolt
