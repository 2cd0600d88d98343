#include "prune/targets.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "kobolt/error.h"
#include "model/layout.h"
#include "model/pattern.h"

namespace kobolt {
namespace {

constexpr const char* kOutput = "lm_head";

struct Target {
  std::string tensor;
  std::string module;
  std::string alias;        ///< another name of the same matrix
  bool protected_ = false;  ///< an embedding or the output projection
  bool chosen = false;
};

std::vector<Target> all_targets(const ModelConfig& config) {
  std::vector<Target> targets;
  for (const TensorSpec& spec : expected_tensors(config)) {
    if (!spec.name.ends_with(".weight") || spec.shape.size() != 2) continue;
    Target target{.tensor = spec.name, .module = std::string(module_of(spec.name))};
    target.protected_ = !is_linear_weight(spec.name, spec.shape.size());
    const bool output = config.shared_embedding ? target.module == "shared"
                                                : target.module == "decoder.embed_tokens";
    if (output && config.tied_output) target.alias = kOutput;
    targets.push_back(std::move(target));
  }
  return targets;
}

// A name as it is, or the end of one inside a layer: "fc1", "self_attn", "self_attn.q_proj",
// "q_proj".
bool matches(const std::string& pattern, const std::string& module) {
  if (module.empty()) return false;
  for (const char* before : {"", "*.layers.*.", "*.layers.*.*."}) {
    if (ModulePattern(before + pattern).matches(module)) return true;
  }
  return false;
}

// What BERT and its relatives call the same things, so that suggestions are to the point.
std::string in_our_words(std::string pattern) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 12> kWords{{
      {"crossattention", "encoder_attn"},
      {"cross_attn", "encoder_attn"},
      {"attention.self", "self_attn"},
      {"attention.output.dense", "self_attn.out_proj"},
      {"attention", "self_attn"},
      {"intermediate.dense", "fc1"},
      {"output.dense", "fc2"},
      {"intermediate", "fc1"},
      {"query", "q_proj"},
      {"key", "k_proj"},
      {"value", "v_proj"},
      {"layer.", "layers."},
  }};
  for (const auto& [theirs, ours] : kWords) {
    if (const std::size_t at = pattern.find(theirs); at != std::string::npos) {
      pattern.replace(at, theirs.size(), ours);
    }
  }
  return pattern;
}

[[noreturn]] void refuse_unknown(const std::string& pattern, const std::vector<Target>& targets) {
  std::vector<std::string> known;
  for (const Target& target : targets) {
    if (target.protected_) continue;
    known.push_back(target.module);
    const std::size_t last = target.module.find('.', target.module.find("layers.") + 7);
    known.push_back(target.module.substr(last + 1));
  }
  throw Error(ErrorKind::invalid_argument, "no linear layer of the model has such a name",
              {.field = "layers",
               .found = "\"" + pattern + "\"",
               .hint = "the closest are " + closest_names(in_our_words(pattern), known)});
}

[[noreturn]] void refuse_protected(const std::string& pattern, const Target& target) {
  const bool both = !target.alias.empty();
  const bool output = target.module == kOutput;
  const std::string what = both     ? "the token embedding, which is the output projection too"
                           : output ? "the output projection"
                                    : "an embedding";
  throw Error(
      ErrorKind::invalid_argument,
      "this is " + what + ": every token passes it, and what it loses no later layer repairs",
      {.field = "layers",
       .found = "\"" + pattern + "\"",
       .hint = "leave it out, or force it (--force)"});
}

void choose(const std::string& pattern, bool force, std::vector<Target>& targets) {
  bool any = false;
  const Target* held_back = nullptr;
  for (Target& target : targets) {
    if (!matches(pattern, target.module) && !matches(pattern, target.alias)) continue;
    if (target.protected_ && !force) {
      held_back = &target;
      continue;
    }
    target.chosen = true;
    any = true;
  }
  // A pattern of everything means the layers; one that names nothing else means what it says.
  if (!any && held_back != nullptr) refuse_protected(pattern, *held_back);
  if (!any) refuse_unknown(pattern, targets);
}

}  // namespace

bool is_linear_weight(const std::string& name, std::size_t dimensions) {
  return dimensions == 2 && name.find(".layers.") != std::string::npos && name.ends_with(".weight");
}

std::vector<std::string> target_tensors(const Model& model, const PruningTargets& targets) {
  std::vector<Target> all = all_targets(model.config);
  if (targets.layers.empty()) {
    for (Target& target : all) target.chosen = !target.protected_;
  }
  for (const std::string& pattern : targets.layers) choose(pattern, targets.force, all);
  std::vector<std::string> names;
  for (const Target& target : all) {
    // Position tables of a formula are no tensors.
    if (target.chosen && model.tensors.contains(target.tensor)) names.push_back(target.tensor);
  }
  return names;
}

}  // namespace kobolt
