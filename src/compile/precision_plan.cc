#include "compile/precision_plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <string>

#include "compile/int4_choice.h"
#include "kobolt/error.h"
#include "model/pattern.h"

namespace kobolt {
namespace {

/// What embeddings, output projection and positions have where a file has `precision`. Embeddings
/// and output projection touch every token twice, and what they lose no later layer repairs: in 4
/// bits they make a KoBART file an eighth smaller and cost nearly half as much quality again as all
/// layers in 4 bits do (docs/performance.md).
Precision outside_of_layers(Precision precision) {
  return precision == Precision::int4 ? Precision::int8 : precision;
}

void add_layers(const std::vector<LayerConfig>& layers, const std::string& side,
                std::vector<MatrixName>& names) {
  for (std::size_t i = 0; i < layers.size(); ++i) {
    const std::string layer = fmt::format("{}.layers.{}.", side, i);
    for (const char* name : {"self_attn.qkv", "self_attn.out"})
      names.push_back({.name = layer + name});
    if (layers[i].cross_heads > 0) {
      for (const char* name : {"cross_attn.q", "cross_attn.kv", "cross_attn.out"}) {
        names.push_back({.name = layer + name});
      }
    }
    for (const char* name : {"fc1", "fc2"}) names.push_back({.name = layer + name});
  }
}

std::vector<MatrixName> names_of(const ModelConfig& config) {
  std::vector<MatrixName> names;
  const std::string output = config.tied_output ? "lm_head" : "";
  if (config.shared_embedding) {
    names.push_back({.name = "embedding", .alias = output});
  } else {
    names.push_back({.name = "encoder.embedding"});
    names.push_back({.name = "decoder.embedding", .alias = output});
  }
  if (!config.tied_output) names.push_back({.name = "lm_head"});
  names.push_back({.name = "encoder.positions"});
  add_layers(config.encoder_layers, "encoder", names);
  names.push_back({.name = "decoder.positions"});
  add_layers(config.decoder_layers, "decoder", names);
  return names;
}

}  // namespace

PrecisionPlan::PrecisionPlan(const CompileOptions& options, const ModelConfig& config)
    : text_(name_of(options.precision)) {
  const std::vector<MatrixName> names = names_of(config);
  for (const MatrixName& name : names) {
    matrices_.emplace_back(
        name.name, name.in_layer() ? options.precision : outside_of_layers(options.precision));
  }
  if (options.int4_share > 0) take_share(options);
  for (const LayerPrecision& layer : options.layers) {
    for (const std::size_t i :
         select_matrices(layer.pattern, names, "no matrix of the engine has such a name")) {
      matrices_[i].second = layer.precision;
    }
    text_ += fmt::format(", {}={}", layer.pattern, name_of(layer.precision));
  }
}

void PrecisionPlan::take_share(const CompileOptions& options) {
  if (!options.int4) {
    throw Error(ErrorKind::invalid_argument,
                "which matrices lose least in int4 is not known without documents",
                {.field = "int4_share", .hint = "give documents to round int4 weights for"});
  }
  for (const std::string& section : least_noisy(*options.int4, options.int4_share)) {
    const auto found =
        std::ranges::find(matrices_, section, [](const auto& matrix) { return matrix.first; });
    if (found != matrices_.end()) found->second = Precision::int4;
  }
  text_ += fmt::format(", {:g} % int4", 100 * options.int4_share);
}

Precision PrecisionPlan::of(std::string_view name) const {
  const auto found =
      std::ranges::find(matrices_, name, [](const auto& matrix) { return matrix.first; });
  assert(found != matrices_.end());
  return found->second;
}

bool PrecisionPlan::has(Precision precision) const {
  return std::ranges::any_of(matrices_,
                             [&](const auto& matrix) { return matrix.second == precision; });
}

}  // namespace kobolt
