#include "kobolt/profile.h"

#include <utility>

#include "benchmark/clock.h"
#include "benchmark/loop.h"
#include "benchmark/profile_sums.h"
#include "benchmark/ratio_interval.h"
#include "benchmark/workload.h"

namespace kobolt {
namespace {

/// Traces a Summarizer for as long as it lives.
class Tracing {
 public:
  Tracing(Summarizer& summarizer, Trace& trace) : summarizer_(summarizer) {
    summarizer_.set_trace(&trace);
  }
  Tracing(const Tracing&) = delete;
  Tracing& operator=(const Tracing&) = delete;
  ~Tracing() { summarizer_.set_trace(nullptr); }

 private:
  Summarizer& summarizer_;
};

constexpr double kOverheadConfidence = 0.95;

}  // namespace

Profile profile(Summarizer& summarizer, const ProfileOptions& options) {
  SteadyClock clock;
  SummarizerWorkload workload(summarizer, options.work, clock);
  const int batch = options.work.batch;
  Trace trace;
  ProfileCollector collector(options.ceilings);
  Profile result{.batches = options.work.iterations};
  const auto untimed = [](std::size_t) {};

  const auto warmup = static_cast<std::size_t>(options.work.warmup);
  const auto batches = static_cast<std::size_t>(options.work.iterations);
  const auto size = static_cast<std::size_t>(batch);
  for (std::size_t i = 0; i < warmup; ++i) workload.run(i * size, size);
  std::vector<double> traced;
  std::vector<double> untraced;
  const auto run = [&](std::size_t first) {
    return closed_loop(workload, batch, 1, 0, first, clock, untimed).seconds;
  };
  for (std::size_t i = 0; i < batches; ++i) {
    const auto run_traced = [&] {
      trace.clear();
      {
        const Tracing tracing(summarizer, trace);
        traced.push_back(run(i * size));
      }
      collector.add_batch(trace.events());
      result.seconds += traced.back() / static_cast<double>(batches);
    };
    // Each goes first in turn: what the first one leaves in caches serves the second.
    if (i % 2 == 0) run_traced();
    untraced.push_back(run(i * size));
    if (i % 2 != 0) run_traced();
    if (options.work.progress) options.work.progress({.done = i + 1, .total = batches});
  }
  result.overhead = ratio_interval(traced, untraced, kOverheadConfidence);
  ProfileSums sums = collector.sums();
  Diagnosis diagnosis = diagnose(sums, summarizer, options.work);
  result.phases = std::move(sums.phases);
  result.operators = std::move(sums.operators);
  result.layers = std::move(sums.layers);
  result.details = std::move(sums.details);
  result.bottleneck = std::move(diagnosis.bottleneck);
  result.advice = std::move(diagnosis.advice);
  result.events = trace.events();
  return result;
}

}  // namespace kobolt
