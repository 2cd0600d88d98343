#include "compile/precision_plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <string>

#include "kobolt/error.h"
#include "model/pattern.h"

namespace kobolt {
namespace {

/// A matrix by the name of its section and, where it is two things at once, by the other one's.
struct Name {
  std::string section;
  std::string alias;
  bool in_layer = false;
};

/// What embeddings, output projection and positions have where a file has `precision`. Embeddings
/// and output projection touch every token twice, and what they lose no later layer repairs: in 4
/// bits they make a KoBART file an eighth smaller and cost nearly half as much quality again as all
/// layers in 4 bits do (docs/performance.md).
Precision outside_of_layers(Precision precision) {
  return precision == Precision::int4 ? Precision::int8 : precision;
}

void add_layers(const std::vector<LayerConfig>& layers, const std::string& side,
                std::vector<Name>& names) {
  for (std::size_t i = 0; i < layers.size(); ++i) {
    const std::string layer = fmt::format("{}.layers.{}.", side, i);
    for (const char* name : {"self_attn.qkv", "self_attn.out"})
      names.push_back({.section = layer + name, .in_layer = true});
    if (layers[i].cross_heads > 0) {
      for (const char* name : {"cross_attn.q", "cross_attn.kv", "cross_attn.out"}) {
        names.push_back({.section = layer + name, .in_layer = true});
      }
    }
    for (const char* name : {"fc1", "fc2"})
      names.push_back({.section = layer + name, .in_layer = true});
  }
}

std::vector<Name> names_of(const ModelConfig& config) {
  std::vector<Name> names;
  const std::string output = config.tied_output ? "lm_head" : "";
  if (config.shared_embedding) {
    names.push_back({.section = "embedding", .alias = output});
  } else {
    names.push_back({.section = "encoder.embedding"});
    names.push_back({.section = "decoder.embedding", .alias = output});
  }
  if (!config.tied_output) names.push_back({.section = "lm_head"});
  names.push_back({.section = "encoder.positions"});
  add_layers(config.encoder_layers, "encoder", names);
  names.push_back({.section = "decoder.positions"});
  add_layers(config.decoder_layers, "decoder", names);
  return names;
}

[[noreturn]] void refuse(const std::string& pattern, const std::vector<Name>& names) {
  std::vector<std::string> known;
  for (const Name& name : names) {
    known.push_back(name.section);
    if (!name.alias.empty()) known.push_back(name.alias);
  }
  throw Error(ErrorKind::invalid_argument, "no matrix of the engine has such a name",
              {.field = "layer",
               .found = "\"" + pattern + "\"",
               .hint = "the closest are " + closest_names(pattern, known)});
}

}  // namespace

PrecisionPlan::PrecisionPlan(const CompileOptions& options, const ModelConfig& config)
    : text_(name_of(options.precision)) {
  const std::vector<Name> names = names_of(config);
  for (const Name& name : names) {
    matrices_.emplace_back(
        name.section, name.in_layer ? options.precision : outside_of_layers(options.precision));
  }
  for (const LayerPrecision& layer : options.layers) {
    const ModulePattern pattern(layer.pattern);
    bool any = false;
    for (std::size_t i = 0; i < names.size(); ++i) {
      if (!pattern.matches(names[i].section) &&
          (names[i].alias.empty() || !pattern.matches(names[i].alias))) {
        continue;
      }
      matrices_[i].second = layer.precision;
      any = true;
    }
    if (!any) refuse(layer.pattern, names);
    text_ += fmt::format(", {}={}", layer.pattern, name_of(layer.precision));
  }
}

Precision PrecisionPlan::of(std::string_view name) const {
  const auto found =
      std::ranges::find(matrices_, name, [](const auto& matrix) { return matrix.first; });
  assert(found != matrices_.end());
  return found->second;
}

}  // namespace kobolt
