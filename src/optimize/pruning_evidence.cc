#include "optimize/pruning_evidence.h"

#include <string>

namespace kobolt {

std::vector<SummaryPair> summary_pairs(std::span<const Example> examples) {
  std::vector<SummaryPair> pairs;
  for (const Example& example : examples) {
    for (const std::string& reference : example.references) {
      pairs.push_back({.document = example.document, .summary = reference});
    }
  }
  return pairs;
}

void collect_evidence(const Model& model, const PruningStep& step,
                      std::span<const Example> examples, const CalibrationOptions& options,
                      PruningEvidence& evidence) {
  if (examples.empty()) return;
  if (step.recipe.score == PruningScore::wanda && evidence.input_norms.empty()) {
    std::vector<std::string> documents;
    documents.reserve(examples.size());
    for (const Example& example : examples) documents.push_back(example.document);
    evidence.input_norms = collect_input_norms(model, documents, options);
  }
  if (step.recipe.score == PruningScore::taylor && evidence.weight_gradients.empty()) {
    Model copy = model;  // a pruner wants one that it may change
    evidence.weight_gradients = collect_weight_gradients(
        model, summary_pairs(examples), ModelPruner(copy).target_layers(), options);
  }
}

}  // namespace kobolt
