// Prints what the processor can do at most, for each instruction set that the kernels have here:
// fused multiply-adds in fp32, products of pairs of bfloat16 (vdpbf16ps) and of int16 (vpdpwssd, or
// vpmaddwd + vpaddd) and of bytes (vpdpbusd), and reading memory; with one thread and with all.
// Percentages in docs/performance.md are against these figures.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstddef>
#include <cstdio>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "benchmark/ceilings.h"

namespace {

void print_ceilings(unsigned all) {
  std::printf("%-12s %8s %13s %13s %12s %12s %10s\n", "set", "threads", "fp32 GFLOP/s",
              "bf16 GFLOP/s", "pairs GOP/s", "bytes GOP/s", "read GB/s");
  for (const std::string_view set : kobolt::measurable_sets()) {
    for (const unsigned threads : {1U, all}) {
      const kobolt::Ceilings ceilings = kobolt::measure_ceilings(set, threads);
      std::printf("%-12s %8u %13.1f %13.1f %12.1f %12.1f %10.1f\n", std::string(set).c_str(),
                  threads, ceilings.fp32, ceilings.bf16, ceilings.pairs, ceilings.bytes,
                  ceilings.read);
      if (all == 1) break;
    }
  }
}

void print_read_rates(unsigned threads, int passes) {
  constexpr std::size_t kInRow = 20;
  const std::vector<double> rates = kobolt::read_rates(threads, passes, kobolt::kReadBytes);
  std::printf("GB/s of each pass over the same %zu MiB\n", kobolt::kReadBytes >> 20);
  for (std::size_t i = 0; i < rates.size(); ++i) {
    const bool last = (i + 1) % kInRow == 0 || i + 1 == rates.size();
    std::printf("%.0f%c", rates[i], last ? '\n' : ' ');
  }
}

}  // namespace

// Whatever is thrown ends this program, as it should.
// NOLINTNEXTLINE(bugprone-exception-escape)
int main(int argc, char** argv) {
  int passes = 0;
  CLI::App app(
      "What the processor can do at most, for each instruction set, with one thread and all.");
  app.add_option("--watch", passes,
                 "Read the same memory this many times with all threads and print the rate of each "
                 "pass. In a virtual machine it changes with where the host runs the cores.")
      ->check(CLI::Range(1, 1'000'000));
  CLI11_PARSE(app, argc, argv);
  if (kobolt::measurable_sets().empty()) {
    std::puts("roofline is not run: it needs an x86-64 processor with AVX2 and FMA");
    return 0;
  }
  const unsigned all = std::max(1U, std::thread::hardware_concurrency());
  std::printf("%s, %u threads\n", kobolt::processor_name().c_str(), all);
  if (passes > 0) {
    print_read_rates(all, passes);
  } else {
    print_ceilings(all);
  }
  return 0;
}
