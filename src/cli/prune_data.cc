#include "cli/prune_data.h"

#include "cli/progress.h"
#include "optimize/pruning_evidence.h"

namespace kobolt::cli {

std::vector<Example> read_examples(const std::string& file, DatasetOptions fields,
                                   std::size_t limit, bool need_references) {
  fields.need_references = need_references;
  std::vector<Example> examples = read_dataset(file, fields);
  if (limit > 0 && examples.size() > limit) examples.resize(limit);
  return examples;
}

InputNorms calibrate(const Model& model, std::span<const Example> examples,
                     const GlobalOptions& global) {
  std::vector<std::string> documents;
  for (const Example& example : examples) documents.push_back(example.document);
  ProgressBar bar("calibrating", "documents", global);
  return collect_input_norms(
      model, documents, {.threads = global.threads, .progress = [&bar](const Progress& progress) {
                           bar.update(progress.done, progress.total);
                         }});
}

WeightGradients differentiate(Model& model, std::span<const Example> examples,
                              const PruningTargets& targets, const GlobalOptions& global) {
  PruningOptions options;
  options.targets = targets;
  const ModelPruner pruner(model, options);
  ProgressBar bar("differentiating", "summaries", global);
  return collect_weight_gradients(
      model, summary_pairs(examples), pruner.target_layers(),
      {.threads = global.threads, .progress = [&bar](const Progress& progress) {
         bar.update(progress.done, progress.total);
       }});
}

}  // namespace kobolt::cli
