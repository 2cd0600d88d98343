#pragma once

#include <vector>

#include "kobolt/benchmark.h"

namespace kobolt {

/// Compiled in memory, to be timed in turn with others that share its threads.
class TimedModel {
 public:
  /// Runs the work once, to warm up. `options.engine.workers` must be set: two sets of threads
  /// would disturb each other.
  TimedModel(const Model& model, const UnitTimingOptions& options);

  /// Of the work, once.
  double seconds();

 private:
  BenchmarkOptions work_;
  Summarizer summarizer_;
};

/// `options` with workers. Throws Error(invalid_argument) where nothing would be timed.
UnitTimingOptions with_workers(UnitTimingOptions options);

double median(std::vector<double> values);

}  // namespace kobolt
