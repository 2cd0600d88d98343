#include "benchmark/loop.h"

#include <algorithm>
#include <cmath>
#include <random>

namespace kobolt {
namespace {

void add_batch(LoopTimes& times, const BatchOutcome& outcome, double end) {
  ++times.batches;
  times.documents += outcome.documents;
  times.tokens += outcome.tokens;
  if (outcome.first_token && outcome.steps > 1) {
    times.per_token.push_back((end - *outcome.first_token) /
                              static_cast<double>(outcome.steps - 1));
  }
}

}  // namespace

LoopTimes closed_loop(Workload& workload, int batch, int iterations, double seconds,
                      std::size_t first_document, Clock& clock, const BetweenBatches& between) {
  LoopTimes times;
  const auto documents = static_cast<std::size_t>(batch);
  const auto wanted = static_cast<std::size_t>(iterations);
  const auto more = [&] {
    return times.batches == 0 || (seconds > 0 ? times.seconds < seconds : times.batches < wanted);
  };
  while (more()) {
    const double start = clock.now();
    const BatchOutcome outcome = workload.run(first_document + times.documents, documents);
    const double end = clock.now();
    times.latencies.push_back(end - start);
    times.seconds += end - start;  // what happens between batches is nobody's time
    if (outcome.first_token) times.first_tokens.push_back(*outcome.first_token - start);
    add_batch(times, outcome, end);
    between(times.batches);
  }
  return times;
}

LoopTimes open_loop(Workload& workload, std::span<const double> arrivals, int most, double deadline,
                    Clock& clock, const BetweenBatches& between) {
  LoopTimes times;
  const double origin = clock.now();
  std::size_t next = 0;
  while (next < arrivals.size()) {
    clock.sleep_until(origin + arrivals[next]);
    const double start = clock.now();
    if (deadline > 0 && start - origin > deadline && next > 0) {
      times.unserved = arrivals.size() - next;
      break;
    }
    // Woken a moment early, the first one is still there.
    const auto arrived = std::upper_bound(arrivals.begin() + static_cast<std::ptrdiff_t>(next) + 1,
                                          arrivals.end(), start - origin);
    const auto ready = static_cast<std::size_t>(arrived - arrivals.begin()) - next;
    const std::size_t taken = std::min(ready, static_cast<std::size_t>(most));
    times.queued = std::max(times.queued, ready - taken);
    const BatchOutcome outcome = workload.run(next, taken);
    const double end = clock.now();
    for (std::size_t i = next; i < next + taken; ++i) {
      const double arrival = origin + arrivals[i];
      times.latencies.push_back(end - arrival);
      times.waiting.push_back(std::max(0.0, start - arrival));
      if (outcome.first_token) times.first_tokens.push_back(*outcome.first_token - arrival);
    }
    add_batch(times, outcome, end);
    times.seconds = end - origin;
    next += taken;
    between(next);
  }
  return times;
}

std::vector<double> poisson_arrivals(double rate, int count, double seconds, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::vector<double> arrivals;
  double time = 0;
  while (true) {
    // std::exponential_distribution differs between libraries; 2^-53 steps, never the logarithm of
    // 0.
    const double uniform = static_cast<double>(random() >> 11U) * 0x1p-53;
    time -= std::log1p(-uniform) / rate;
    const bool enough = seconds > 0 ? time >= seconds && !arrivals.empty()
                                    : arrivals.size() == static_cast<std::size_t>(count);
    if (enough) return arrivals;
    arrivals.push_back(time);
  }
}

}  // namespace kobolt
