#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "kobolt/generation_config.h"
#include "runtime/backend.h"

namespace kobolt {

/// One generated sequence: ids after the decoder start token, up to and including eos.
struct GeneratedSequence {
  std::vector<std::int32_t> tokens;
  double score = 0;  ///< beam search: sum of log-probabilities / length^length_penalty; else 0
};

struct GenerateOptions {
  int max_rows = 64;  ///< most rows in one step, over all documents
  std::function<void(std::size_t done)> progress;
};

/// Generates for every document (token ids, special tokens included) as transformers' generate()
/// does with the same settings; result [document][return sequence], in the order given. Documents
/// are taken longest first, a finished one leaves and a waiting one enters in mid-decode.
/// Throws Error(invalid_argument) naming the setting for values that make no sense.
std::vector<std::vector<GeneratedSequence>> generate(
    Backend& backend, std::span<const std::vector<std::int32_t>> documents,
    const GenerationConfig& config, const GenerateOptions& options);

}  // namespace kobolt
