#pragma once

#include <limits>

#include "kobolt/calibrate.h"
#include "quantize/activation_histogram.h"

namespace kobolt {

/// Below, steps of clip / 127 would not be normal floats.
inline constexpr float kSmallestClip = 127 * std::numeric_limits<float>::min();

/// The clip that `method` finds for numbers so distributed, at most the largest of them (or
/// kSmallestClip); 1 where all are zero. `percentile` counts for that method only.
/// docs/calibration.md has the definitions.
float clip_of(const ActivationHistogram& histogram, CalibrationMethod method, double percentile);

}  // namespace kobolt
