#include "benchmark/timed_model.h"

#include <algorithm>
#include <memory>
#include <string>
#include <utility>

#include "kobolt/error.h"

namespace kobolt {

TimedModel::TimedModel(const Model& model, const UnitTimingOptions& options)
    : work_(options.work), summarizer_(model, options.engine, options.compile) {
  work_.iterations = 1;
  work_.warmup = 0;
  work_.progress = nullptr;
  (void)seconds();
}

double TimedModel::seconds() { return benchmark(summarizer_, work_).latency.p50; }

UnitTimingOptions with_workers(UnitTimingOptions options) {
  if (options.rounds < 1) {
    throw Error(
        ErrorKind::invalid_argument, "nothing would be timed",
        {.field = "rounds", .found = std::to_string(options.rounds), .expected = "at least 1"});
  }
  EngineOptions& engine = options.engine;
  if (!engine.workers) {
    engine.workers =
        std::make_shared<Workers>(WorkersOptions{.threads = engine.threads, .pin = engine.pin});
  }
  return options;
}

double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

}  // namespace kobolt
