#pragma once

#include <cstdint>
#include <vector>

namespace kobolt {

/// One generated sequence: ids after the decoder start token, up to and including eos.
struct GeneratedSequence {
  std::vector<std::int32_t> tokens;
  double score = 0;  ///< beam search: sum of log-probabilities / length^length_penalty; else 0
};

}  // namespace kobolt
