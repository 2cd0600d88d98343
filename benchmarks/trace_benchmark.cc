// What an operator pays for being traceable: without a trace, which is how engines run, and with
// one. `kobolt profile` counts the operators of a batch (the column "calls").

#include <benchmark/benchmark.h>

#include "runtime/trace_cost.h"
#include "runtime/trace_scope.h"

namespace {

// With what an attention computes of its cost before it is known that nobody asks.
void run_scopes(benchmark::State& state, kobolt::Trace* trace) {
  int rows = 4;
  int length = 100;
  for ([[maybe_unused]] auto _ : state) {
    benchmark::DoNotOptimize(trace);
    benchmark::DoNotOptimize(rows);
    benchmark::DoNotOptimize(length);
    const kobolt::TraceScope scope(
        trace, kobolt::Phase::decode, "self attention", 0,
        kobolt::attention_cost(rows, rows, length, 256, kobolt::KvCache::fp16));
    benchmark::ClobberMemory();
  }
}

void without_trace(benchmark::State& state) { run_scopes(state, nullptr); }
BENCHMARK(without_trace);

void with_trace(benchmark::State& state) {
  kobolt::Trace trace;
  run_scopes(state, &trace);
}
// Events are kept: no more of them than there is room for.
BENCHMARK(with_trace)->Iterations(1 << 20);

}  // namespace

BENCHMARK_MAIN();
