#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "benchmark/clock.h"
#include "benchmark/workload.h"

namespace kobolt {

/// What a loop over batches observed; times in seconds, one a batch or, in an open loop, one a
/// document.
struct LoopTimes {
  std::vector<double> latencies;
  std::vector<double> first_tokens;
  std::vector<double> per_token;  ///< one a batch of at least two steps
  std::vector<double> waiting;    ///< open loop only
  double seconds = 0;             ///< from the first start or arrival to the last end
  std::size_t documents = 0;
  std::size_t tokens = 0;
  std::size_t batches = 0;
  std::size_t queued = 0;  ///< most documents waiting at the start of a batch, those it took aside
  std::size_t unserved = 0;  ///< arrived, and left when the time was over
};

/// Called between batches, outside of what is timed, with the batches or documents done.
using BetweenBatches = std::function<void(std::size_t done)>;

/// A batch of `batch` documents after another: `iterations` of them or, with `seconds` above 0, as
/// many as start within that time, at least one. `first_document` is where in the workload to
/// begin.
LoopTimes closed_loop(Workload& workload, int batch, int iterations, double seconds,
                      std::size_t first_document, Clock& clock, const BetweenBatches& between);

/// Documents come at `arrivals` (seconds from the start, ascending). The engine takes what is
/// waiting, at most `most` at a time, and idles only when nothing is. Latencies count from the
/// arrival: a document that waits for a slow one before it is slow itself, which a closed loop
/// would never show. With `deadline` above 0, what has not started by then is left: an engine that
/// falls behind would else be measured for as long as it takes to catch up.
LoopTimes open_loop(Workload& workload, std::span<const double> arrivals, int most, double deadline,
                    Clock& clock, const BetweenBatches& between);

/// Arrivals of a Poisson process: `count` of them or, with `seconds` above 0, those before that
/// time, at least one. The same seed gives the same times everywhere.
std::vector<double> poisson_arrivals(double rate, int count, double seconds, std::uint64_t seed);

}  // namespace kobolt
