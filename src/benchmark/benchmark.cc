#include "kobolt/benchmark.h"

#include "benchmark/gpu.h"
#include "benchmark/loop.h"
#include "benchmark/process_use.h"
#include "benchmark/workload.h"

namespace kobolt {
namespace {

// An engine that serves less than this share of what arrives is falling behind. Of fewer documents
// than these, the time that the last ones take may be as much by itself.
constexpr double kKeepsUp = 0.9;
constexpr std::size_t kEnoughDocuments = 20;
// A time budget may be exceeded this many times by what arrived within it.
constexpr double kGrace = 2;

LoadSummary summarize_load(const BenchmarkOptions& options, const LoopTimes& times,
                           double throughput, double offered) {
  return {.rate = options.rate,
          .waiting = summarize_times(times.waiting),
          .mean_batch = static_cast<double>(times.documents) / static_cast<double>(times.batches),
          .queued = times.queued,
          .unserved = times.unserved,
          .overloaded = times.unserved > 0 ||
                        (times.documents >= kEnoughDocuments && throughput < kKeepsUp * offered)};
}

}  // namespace

BenchmarkResult benchmark(Summarizer& summarizer, const BenchmarkOptions& options) {
  SteadyClock clock;
  SummarizerWorkload workload(summarizer, options, clock);
  const auto batch = static_cast<std::size_t>(options.batch);
  const bool counted = options.seconds <= 0;
  const auto warmup = static_cast<std::size_t>(options.warmup);
  const std::size_t total = warmup + (counted ? static_cast<std::size_t>(options.iterations) : 0);
  const auto report = [&](std::size_t done) {
    // Within a time budget nobody knows how many there will be.
    if (options.progress) options.progress({.done = done, .total = counted ? total : done});
  };

  BenchmarkResult result;
  for (std::size_t i = 0; i < warmup; ++i) {
    const double age = i == 0 ? process_age() : 0;
    const double start = clock.now();
    const BatchOutcome outcome = workload.run(i * batch, batch);
    if (age > 0 && outcome.first_token) {
      result.cold_first_token = age + *outcome.first_token - start;
    }
    report(i + 1);
  }

  GpuMonitor gpus;
  const BetweenBatches between = [&](std::size_t done) {
    gpus.sample();
    report(warmup + done);
  };
  const double processor = processor_seconds();
  LoopTimes times;
  double offered = 0;
  if (options.rate > 0) {
    const std::vector<double> arrivals =
        poisson_arrivals(options.rate, options.iterations, options.seconds, options.seed);
    offered = static_cast<double>(arrivals.size()) / arrivals.back();
    times = open_loop(workload, arrivals, options.batch, kGrace * options.seconds, clock, between);
  } else {
    times = closed_loop(workload, options.batch, options.iterations, options.seconds, 0, clock,
                        between);
  }
  result.cores = (processor_seconds() - processor) / times.seconds;
  result.latency = summarize_times(times.latencies);
  if (!times.first_tokens.empty()) result.first_token = summarize_times(times.first_tokens);
  if (!times.per_token.empty()) result.per_token = summarize_times(times.per_token);
  result.throughput = static_cast<double>(times.documents) / times.seconds;
  result.tokens_per_second = static_cast<double>(times.tokens) / times.seconds;
  if (options.rate > 0) {
    result.load = summarize_load(options, times, result.throughput, offered);
  }
  result.memory = {.engine = summarizer.engine_bytes(),
                   .weights = summarizer.weight_bytes(),
                   .kv_cache = summarizer.kv_cache_bytes(),
                   .peak_resident = peak_memory()};
  result.gpus = gpus.use();
  result.times = std::move(times.latencies);
  return result;
}

}  // namespace kobolt
