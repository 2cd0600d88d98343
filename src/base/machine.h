#pragma once

#include <cstdint>

namespace kobolt {

/// Logical cores that this process may use: its affinity, and no more than the control group's
/// quota, rounded up. At least 1. The default number of threads everywhere.
int usable_cores();

/// Keeps the calling thread on one of the cores that it may use now, the `index`-th of them,
/// counted round. Does nothing where the system refuses.
void pin_to_core(int index);

/// Cores' worth of time that the control groups (version 2 or 1) above this process allow; 0 where
/// there is no limit.
double cpu_quota();

/// Bytes that the control groups above this process allow; 0 where there is no limit.
std::uint64_t memory_limit();

/// Bytes that programs could still take without anything being moved to disk, within that limit; 0
/// where the system does not say.
std::uint64_t available_memory();

}  // namespace kobolt
