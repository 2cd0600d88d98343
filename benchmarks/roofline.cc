// Prints what the processor can do at most: fused multiply-adds in fp32, the pairs vpmaddwd +
// vpaddd of the int8 kernels, and reading memory; with one thread and with all. Percentages in
// docs/performance.md are against these figures.
#include <algorithm>
#include <cstdio>
#include <thread>

#include "benchmark/ceilings.h"

int main() {
  if (!kobolt::can_measure_ceilings()) {
    std::puts("roofline is not run: it needs an x86-64 processor with AVX2 and FMA");
    return 0;
  }
  const unsigned all = std::max(1U, std::thread::hardware_concurrency());
  std::printf("%s, %u threads\n", kobolt::processor_name().c_str(), all);
  std::printf("%-8s %15s %20s %10s\n", "threads", "fp32 GFLOP/s", "vpmaddwd GOP/s", "read GB/s");
  for (const unsigned threads : {1U, all}) {
    const kobolt::Ceilings ceilings = kobolt::measure_ceilings(threads);
    std::printf("%-8u %15.1f %20.1f %10.1f\n", threads, ceilings.fp32, ceilings.integer,
                ceilings.read);
    if (all == 1) break;
  }
  return 0;
}
