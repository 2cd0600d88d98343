#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "kobolt/generation_config.h"
#include "kobolt/trace.h"
#include "runtime/backend.h"

namespace kobolt {

/// One generated sequence: ids after the decoder start token, up to and including eos.
struct GeneratedSequence {
  std::vector<std::int32_t> tokens;
  double score = 0;  ///< beam search: sum of log-probabilities / length^length_penalty; else 0
};

struct GenerateOptions {
  /// Most rows in one step, over all documents; a document that needs more by itself gets them.
  int max_rows = 64;
  std::function<void(std::size_t done)> progress;  ///< called after each finished document
  Trace* trace = nullptr;                          ///< gets what searching takes; null: nowhere
  std::function<void()> on_step;                   ///< called after each step, its tokens chosen
};

/// Generates for every document (token ids, special tokens included) as transformers' generate()
/// does with the same settings; result [document][return sequence], in the order given. Documents
/// are taken longest first, a finished one leaves and a waiting one enters in mid-decode; what a
/// document gets does not depend on the others, nor does what it draws when sampling.
///
/// Where transformers would fail, at the end of the model's positions, a sequence ends as if
/// max_length were there.
///
/// Throws Error(invalid_argument) naming the setting for values that make no sense, and for a
/// document that is empty or longer than the model's positions.
std::vector<std::vector<GeneratedSequence>> generate(
    Backend& backend, std::span<const std::vector<std::int32_t>> documents,
    const GenerationConfig& config, const GenerateOptions& options);

}  // namespace kobolt
