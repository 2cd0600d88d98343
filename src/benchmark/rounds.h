#pragma once

#include <span>

#include "benchmark/clock.h"
#include "benchmark/workload.h"
#include "kobolt/compare.h"

namespace kobolt {

/// compare() on workloads and a clock; memory stays empty. `batches` are the documents at once of
/// each; without them all have those of the options.
Comparison compare_workloads(std::span<Workload* const> workloads, const CompareOptions& options,
                             Clock& clock, std::span<const int> batches = {});

}  // namespace kobolt
