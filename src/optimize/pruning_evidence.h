#pragma once

#include <span>
#include <vector>

#include "kobolt/calibration.h"
#include "kobolt/evaluate.h"
#include "kobolt/gradient.h"
#include "kobolt/model.h"
#include "kobolt/pruning_recipe.h"

namespace kobolt {

/// Every document with each of its references.
std::vector<SummaryPair> summary_pairs(std::span<const Example> examples);

/// Adds to `evidence` what the step's score looks at, measured on these examples of which there are
/// some; nothing where it has that already, and where weights alone count. Throws Error.
void collect_evidence(const Model& model, const PruningStep& step,
                      std::span<const Example> examples, const CalibrationOptions& options,
                      PruningEvidence& evidence);

}  // namespace kobolt
