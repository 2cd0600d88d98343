// Prints what the processor can do at most, for each instruction set that the kernels have here:
// fused multiply-adds in fp32, products of pairs of int16 (vpdpwssd, or vpmaddwd + vpaddd) and of
// bytes (vpdpbusd), and reading memory; with one thread and with all. Percentages in
// docs/performance.md are against these figures.
#include <algorithm>
#include <cstdio>
#include <string>
#include <thread>

#include "benchmark/ceilings.h"

int main() {
  if (kobolt::measurable_sets().empty()) {
    std::puts("roofline is not run: it needs an x86-64 processor with AVX2 and FMA");
    return 0;
  }
  const unsigned all = std::max(1U, std::thread::hardware_concurrency());
  std::printf("%s, %u threads\n", kobolt::processor_name().c_str(), all);
  std::printf("%-12s %8s %13s %12s %12s %10s\n", "set", "threads", "fp32 GFLOP/s", "pairs GOP/s",
              "bytes GOP/s", "read GB/s");
  for (const std::string_view set : kobolt::measurable_sets()) {
    for (const unsigned threads : {1U, all}) {
      const kobolt::Ceilings ceilings = kobolt::measure_ceilings(set, threads);
      std::printf("%-12s %8u %13.1f %12.1f %12.1f %10.1f\n", std::string(set).c_str(), threads,
                  ceilings.fp32, ceilings.pairs, ceilings.bytes, ceilings.read);
      if (all == 1) break;
    }
  }
  return 0;
}
