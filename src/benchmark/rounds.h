#pragma once

#include <span>

#include "benchmark/clock.h"
#include "benchmark/workload.h"
#include "kobolt/compare.h"

namespace kobolt {

/// compare() on workloads and a clock; memory stays empty.
Comparison compare_workloads(std::span<Workload* const> workloads, const CompareOptions& options,
                             Clock& clock);

}  // namespace kobolt
