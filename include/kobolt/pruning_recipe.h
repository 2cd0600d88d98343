#pragma once

#include <string>
#include <vector>

#include "kobolt/export.h"
#include "kobolt/prune.h"

namespace kobolt {

/// A way of pruning in a word: a method and what is added to it, "global", "global+16x1",
/// "row+wanda", "structured+whole"; or whole layers of a side, "encoder-layers", "decoder-layers".
struct PruningRecipe {
  std::string name;
  PruningMethod method = PruningMethod::magnitude;
  PruningPattern pattern;
  PruningScore score = PruningScore::magnitude;
  PruningUnit unit = PruningUnit::channel;
  /// "encoder" or "decoder" where layers go, spread evenly with the first and the last kept; then
  /// the fields above do not count.
  std::string layers_of;
};
/// Throws Error(invalid_argument), also for n:m, which has one amount only.
KOBOLT_API PruningRecipe pruning_recipe_from_name(const std::string& name);

/// A recipe and how much it takes.
struct PruningStep {
  PruningRecipe recipe;
  double amount = 0;  ///< of layers at least one goes
};
/// "structured+whole@0.1".
KOBOLT_API std::string name_of(const PruningStep& step);
/// Reads such a name. Throws Error(invalid_argument).
KOBOLT_API PruningStep pruning_step_from_name(const std::string& name);
/// Those that are worth trying without training afterwards: a little of each kind.
KOBOLT_API std::vector<PruningStep> default_pruning_steps();

/// What documents say about a model, for recipes with the scores wanda and taylor.
struct PruningEvidence {
  InputNorms input_norms;            ///< for wanda, by collect_input_norms()
  WeightGradients weight_gradients;  ///< for taylor, by collect_weight_gradients()
};

/// Prunes `model`; heads, neurons and layers vanish. Throws Error as ModelPruner does, and
/// Error(invalid_argument) for a recipe whose score looks at what `evidence` lacks.
KOBOLT_API void prune(Model& model, const PruningStep& step, int threads = 0,
                      const PruningEvidence& evidence = {});

}  // namespace kobolt
