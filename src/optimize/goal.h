#pragma once

#include <span>
#include <vector>

#include "kobolt/optimize.h"

namespace kobolt {

/// What is asked of a setting.
struct Goal {
  OptimizeTargets targets;
  double keep_length = 0.9;
  OptimizeFor prefer = OptimizeFor::speed;
  std::uint64_t baseline_bytes = 1;  ///< of the fp32 engine file
};

/// How strictly a trial is read.
enum class Reading : std::uint8_t {
  estimates,  ///< by its means
  doubtful,   ///< what may still turn out well, measured again or changed a little more
};

/// By what share a trial is above the limits of latency, size and memory, added up; 0 where it is
/// within them all. Memory counts where it was measured.
double excess(const Goal& goal, const Trial& trial, Reading reading);

/// By what share a trial misses the targets, those of excess() and of quality, added up; 0 where
/// it meets them all.
double shortfall(const Goal& goal, const Trial& trial, Reading reading);

/// How good a trial is that meets the targets; more is better.
double merit(const Goal& goal, const Trial& trial);

/// Places of the trials, best first: by shortfall, then by excess as it was measured, then by
/// merit, then by name.
std::vector<std::size_t> ranked(const Goal& goal, std::span<const Trial> trials, Reading reading);

/// Marks the trials than which no other one is at least as good in speed, size and quality, and
/// better in one of them. Those that failed, or were only screened, do not count.
void mark_front(std::span<Trial> trials);

}  // namespace kobolt
