#pragma once

#include <span>
#include <string>
#include <vector>

#include "kobolt/calibration.h"
#include "kobolt/export.h"
#include "kobolt/model.h"
#include "kobolt/prune.h"

namespace kobolt {

/// A document and a summary of it that somebody wrote.
struct SummaryPair {
  std::string document;
  std::string summary;
};

/// The derivative of the model's loss by each weight of `layers`, named as
/// ModelPruner::target_layers() does; by the names of their tensors. The loss is what training
/// lowers: the mean, over all tokens of all summaries, of -log P(token | document, the tokens
/// before it), with the model's masks applied, without dropout and label smoothing. A summary's
/// tokens are those that the tokenizer makes of it as of a target, with an end where the tokenizer
/// gives none; what the decoder reads is transformers' shift_tokens_right of them. Too long texts
/// lose their end; a pair whose document has no token does not count. Computed in float. Throws
/// Error; invalid_argument where no pair counts and for a layer that the model lacks.
KOBOLT_API WeightGradients collect_weight_gradients(const Model& model,
                                                    std::span<const SummaryPair> pairs,
                                                    const std::vector<std::string>& layers,
                                                    const CalibrationOptions& options = {});

}  // namespace kobolt
