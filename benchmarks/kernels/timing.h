#pragma once

#include <benchmark/benchmark.h>

#include <cstddef>
#include <cstdint>

#include "base/aligned.h"
#include "kobolt/profile.h"

// What the benchmarks of all kernels share: inputs, the loop, and the report of the work done.
namespace kobolt::kernels {

/// Uniform in [-1, 1), always the same.
AlignedVector<float> random(std::size_t count);

inline std::size_t size_of(std::int64_t rows, std::int64_t columns) {
  return static_cast<std::size_t>(rows * columns);
}

/// Times `kernel()`, whose results in memory count as used.
template <class Kernel>
void repeat(benchmark::State& state, const Kernel& kernel) {
  for ([[maybe_unused]] const auto _ : state) {
    kernel();
    benchmark::ClobberMemory();
  }
}

/// Operations and bytes of one call: as rates, and as shares of the ceilings where these were
/// measured. 0 where there are none to speak of.
void report(benchmark::State& state, double operations, double bytes,
            Arithmetic arithmetic = Arithmetic::fp32);

/// Whether this instruction set has no products of bytes worth timing; the benchmark then says so.
bool skipped_without_bytes(benchmark::State& state);

}  // namespace kobolt::kernels
