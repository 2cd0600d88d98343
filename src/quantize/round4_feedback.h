#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "quantize/error_feedback.h"

namespace kobolt {

/// W [n, k] in int4 as kernels::pack_i4 lays it out, and what rounding costs its outputs: sums of
/// squares over the inputs that the moments are of.
struct FeedbackRounding {
  std::vector<std::uint8_t> blocks;
  double signal = 0;       ///< of the outputs
  double plain_noise = 0;  ///< with kernels::pack_i4
  double noise = 0;        ///< with `blocks`
};

/// Rounds the weights of each output feature in the order of their inputs, towards what makes up
/// for the errors before them. A group's scale is the one that costs least with feedback, of those
/// that kernels::pack_i4 tries too. Weights must be finite.
FeedbackRounding round_with_feedback(std::span<const float> weights, int n,
                                     const ErrorFeedback& feedback, ThreadPool& pool);

}  // namespace kobolt
