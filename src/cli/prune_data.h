#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "cli/command.h"
#include "kobolt/calibration.h"
#include "kobolt/evaluate.h"
#include "kobolt/gradient.h"

namespace kobolt::cli {

/// The first `limit` examples of a data set, 0 = all.
std::vector<Example> read_examples(const std::string& file, DatasetOptions fields,
                                   std::size_t limit, bool need_references);

/// collect_input_norms() over their documents, with progress.
InputNorms calibrate(const Model& model, std::span<const Example> examples,
                     const GlobalOptions& global);

/// collect_weight_gradients() of the layers that `targets` choose, with progress: every reference
/// of an example is a summary to learn.
WeightGradients differentiate(Model& model, std::span<const Example> examples,
                              const PruningTargets& targets, const GlobalOptions& global);

}  // namespace kobolt::cli
