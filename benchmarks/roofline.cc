// Prints what the processor can do at most, for each instruction set that the kernels have here:
// fused multiply-adds in fp32, products of pairs of bfloat16 (vdpbf16ps) and of int16 (vpdpwssd, or
// vpmaddwd + vpaddd) and of bytes (vpdpbusd), and reading memory; with one thread and with all.
// "From L1" is what is left of the column before it where operands are loaded, as a product's are.
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

void print_header() {
  std::printf("%-12s %8s %13s %8s %13s %12s %12s %8s %10s\n", "set", "threads", "fp32 GFLOP/s",
              "from L1", "bf16 GFLOP/s", "pairs GOP/s", "bytes GOP/s", "from L1", "read GB/s");
}

void print_line(std::string_view set, unsigned threads, const kobolt::Ceilings& ceilings) {
  std::printf("%-12s %8u %13.1f %8.1f %13.1f %12.1f %12.1f %8.1f %10.1f\n",
              std::string(set).c_str(), threads, ceilings.fp32, ceilings.fp32_loaded, ceilings.bf16,
              ceilings.pairs, ceilings.bytes, ceilings.bytes_loaded, ceilings.read);
}

void print_ceilings(unsigned all) {
  for (const std::string_view set : kobolt::measurable_sets()) {
    for (const unsigned threads : {1U, all}) {
      print_line(set, threads, kobolt::measure_ceilings(set, threads));
      if (all == 1) break;
    }
  }
}

/// One long run of each loop, of the best set: what the machine gives now, disturbances included.
void print_rates_of_now(unsigned all) {
  constexpr kobolt::CeilingEffort kLong{.steps = 25'000'000, .repetitions = 1};
  const std::string_view set = kobolt::measurable_sets().front();
  print_line(set, all, kobolt::measure_ceilings(set, all, kLong));
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
  bool now = false;
  app.add_flag(
      "--now", now,
      "Only the best set with all threads, a tenth of a second each, once: what the machine "
      "gives at this moment, where what it gives changes.");
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
    print_header();
    now ? print_rates_of_now(all) : print_ceilings(all);
  }
  return 0;
}
