// The kernels at the shapes of KoBART (d_model 768, ffn 3072, vocabulary 30000), single-threaded.
// Time is the thread's CPU time, so that a shared machine disturbs as little as it can. The
// ceilings of the instruction set in use are measured first; "%op" is the share of the arithmetic
// one (fp32, bf16, pairs of int16 or bytes), "%read" of reading memory, which data that stays in a
// cache can exceed.
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <algorithm>
#include <random>
#include <string>
#include <string_view>

#include "benchmark/ceilings.h"
#include "kernels/bytes.h"
#include "kernels/kernels.h"
#include "kobolt/profile.h"
#include "timing.h"

namespace kobolt::kernels {
namespace {

Ceilings ceilings;  // of one thread and the set in use; zeros where they cannot be measured

void measure_one_thread() {
  const auto sets = measurable_sets();
  const std::string_view set = instruction_set();
  if (std::ranges::find(sets, set) == sets.end()) return;
  ceilings = measure_ceilings(set, 1);
  benchmark::AddCustomContext(
      "ceilings",
      fmt::format("{:.1f} GFLOP/s fp32, {:.1f} GFLOP/s bf16, {:.1f} GOP/s pairs, {:.1f} GOP/s "
                  "bytes, {:.1f} GB/s",
                  ceilings.fp32, ceilings.bf16, ceilings.pairs, ceilings.bytes, ceilings.read));
}

}  // namespace

AlignedVector<float> random(std::size_t count) {
  std::mt19937 generator(1);
  std::uniform_real_distribution<float> distribution(-1.0F, 1.0F);
  AlignedVector<float> values(count);
  for (float& value : values) value = distribution(generator);
  return values;
}

bool skipped_without_bytes(benchmark::State& state) {
  if (prefers_byte_rows()) return false;
  state.SkipWithError("not for this instruction set");
  return true;
}

void report(benchmark::State& state, double operations, double bytes, Arithmetic arithmetic) {
  const auto rate = [&](const char* name, double amount) {
    if (amount > 0) {
      state.counters[name] =
          benchmark::Counter(amount, benchmark::Counter::kIsIterationInvariantRate);
    }
  };
  rate("op/s", operations);
  rate("B/s", bytes);
  if (ceilings.fp32 <= 0) return;
  const MachineCeilings most{.fp32 = ceilings.fp32,
                             .bf16 = ceilings.bf16,
                             .pairs = ceilings.pairs,
                             .bytes = ceilings.bytes};
  rate("%op", 100.0 * operations / (1e9 * most.operations(arithmetic)));
  rate("%read", 100.0 * bytes / (1e9 * ceilings.read));
}

}  // namespace kobolt::kernels

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  kobolt::kernels::measure_one_thread();
  benchmark::AddCustomContext("instruction_set", std::string(kobolt::kernels::instruction_set()));
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return 0;
}
