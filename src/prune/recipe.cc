#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <string_view>
#include <system_error>
#include <utility>

#include "kobolt/error.h"
#include "kobolt/pruning_recipe.h"

namespace kobolt {
namespace {

[[noreturn]] void refuse_step(const std::string& name) {
  throw Error(ErrorKind::invalid_argument, "not a way of pruning and an amount",
              {.field = "prune",
               .found = "\"" + name + "\"",
               .expected = "RECIPE@AMOUNT, such as structured+whole@0.1"});
}

void add_part(PruningRecipe& recipe, const std::string& part) {
  if (part == name_of(PruningUnit::whole)) {
    recipe.unit = PruningUnit::whole;
  } else if (part == name_of(PruningScore::wanda) || part == name_of(PruningScore::taylor)) {
    recipe.score = pruning_score_from_name(part);
  } else {
    recipe.pattern = pruning_pattern_from_name(part);
  }
}

constexpr std::string_view kLayers = "-layers";

bool names_layers(const std::string& name) {
  return name == "encoder-layers" || name == "decoder-layers";
}

void drop_share(Model& model, const std::string& side, double amount) {
  const auto encoder = static_cast<int>(model.config.encoder_layers.size());
  const auto decoder = static_cast<int>(model.config.decoder_layers.size());
  const auto left = [&](const char* name, int count) {
    return side == name ? count - std::max(1, static_cast<int>(std::lround(amount * count)))
                        : count;
  };
  drop_layers(model,
              spread_layers(model.config, left("encoder", encoder), left("decoder", decoder)));
}

}  // namespace

PruningRecipe pruning_recipe_from_name(const std::string& name) {
  if (names_layers(name)) {
    return {.name = name, .layers_of = name.substr(0, name.size() - kLayers.size())};
  }
  std::size_t end = name.find('+');
  PruningRecipe recipe{.name = name, .method = pruning_method_from_name(name.substr(0, end))};
  while (end != std::string::npos) {
    const std::size_t begin = end + 1;
    end = name.find('+', begin);
    add_part(recipe, name.substr(begin, end == std::string::npos ? end : end - begin));
  }
  if (recipe.pattern.kind == PruningPattern::Kind::n_of_m) {
    throw Error(ErrorKind::invalid_argument, "n:m prunes one amount only, so none can be chosen",
                {.field = "pruning", .found = name});
  }
  return recipe;
}

std::string name_of(const PruningStep& step) {
  return fmt::format("{}@{}", step.recipe.name, step.amount);
}

PruningStep pruning_step_from_name(const std::string& name) {
  const std::size_t at = name.rfind('@');
  if (at == std::string::npos) refuse_step(name);
  const std::string_view text = std::string_view(name).substr(at + 1);
  PruningStep step{.recipe = pruning_recipe_from_name(name.substr(0, at))};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), step.amount);
  if (error != std::errc() || end != text.data() + text.size()) refuse_step(name);
  if (!(step.amount > 0 && step.amount < 1)) refuse_step(name);
  return step;
}

std::vector<PruningStep> default_pruning_steps() {
  std::vector<PruningStep> steps;
  for (const char* name : {"global@0.2", "global@0.3", "global+16x1@0.1", "global+whole@0.05",
                           "global+whole@0.1", "structured+whole@0.1", "structured+whole@0.2"}) {
    steps.push_back(pruning_step_from_name(name));
  }
  return steps;
}

void prune(Model& model, const PruningStep& step, int threads, const PruningEvidence& evidence) {
  const PruningRecipe& recipe = step.recipe;
  if (!recipe.layers_of.empty()) return drop_share(model, recipe.layers_of, step.amount);
  PruningOptions options{.method = recipe.method,
                         .amount = step.amount,
                         .pattern = recipe.pattern,
                         .score = recipe.score,
                         .unit = recipe.unit,
                         .targets = {.threads = threads}};
  if (recipe.score == PruningScore::wanda) options.input_norms = evidence.input_norms;
  if (recipe.score == PruningScore::taylor) options.weight_gradients = evidence.weight_gradients;
  const bool looks = recipe.score != PruningScore::magnitude;
  if (looks && options.input_norms.empty() && options.weight_gradients.empty()) {
    throw Error(ErrorKind::invalid_argument, "this way of pruning needs documents to look at",
                {.field = "prune",
                 .found = name_of(step),
                 .hint = "give documents with summaries (--prune-data)"});
  }
  ModelPruner pruner(model, std::move(options));
  pruner.prune();
  if (recipe.unit == PruningUnit::whole) pruner.make_permanent();
}

}  // namespace kobolt
