#include "kobolt/compare.h"

#include <memory>

#include "benchmark/rounds.h"
#include "kobolt/error.h"

namespace kobolt {

Comparison compare(std::span<const Contestant> engines, const CompareOptions& options) {
  if (engines.empty()) throw Error(ErrorKind::invalid_argument, "there is nothing to compare");
  SteadyClock clock;
  // Each with generation settings and a batch of its own.
  std::vector<BenchmarkOptions> works(engines.size(), options.work);
  std::vector<int> batches;
  std::vector<std::unique_ptr<SummarizerWorkload>> owned;
  std::vector<Workload*> workloads;
  for (std::size_t i = 0; i < engines.size(); ++i) {
    works[i].generation = engines[i].generation;
    if (engines[i].batch > 0) works[i].batch = engines[i].batch;
    batches.push_back(works[i].batch);
    owned.push_back(std::make_unique<SummarizerWorkload>(*engines[i].summarizer, works[i], clock));
    workloads.push_back(owned.back().get());
  }
  Comparison comparison = compare_workloads(workloads, options, clock, batches);
  for (std::size_t i = 0; i < engines.size(); ++i) {
    const Summarizer& summarizer = *engines[i].summarizer;
    comparison.engines[i].memory = {.engine = summarizer.engine_bytes(),
                                    .weights = summarizer.weight_bytes(),
                                    .kv_cache = summarizer.kv_cache_bytes()};
  }
  return comparison;
}

}  // namespace kobolt
