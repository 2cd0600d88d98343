#include <algorithm>
#include <array>
#include <string>
#include <utility>
#include <vector>

#include "benchmark/timed_model.h"
#include "kobolt/benchmark.h"

namespace kobolt {
namespace {

/// Blocks of one side whose units cost the same: they differ in nothing but their number.
struct BlockKind {
  const char* side;
  const char* block;     ///< as in UnitCosts
  const char* matrices;  ///< a pattern of those that choose these blocks
  int LayerConfig::*units;
};

constexpr std::array kKinds = {
    BlockKind{"encoder", "self_attn", "encoder.layers.*.self_attn.*", &LayerConfig::self_heads},
    BlockKind{"encoder", "ffn", "encoder.layers.*.fc1", &LayerConfig::ffn},
    BlockKind{"decoder", "self_attn", "decoder.layers.*.self_attn.*", &LayerConfig::self_heads},
    BlockKind{"decoder", "encoder_attn", "decoder.layers.*.encoder_attn.*",
              &LayerConfig::cross_heads},
    BlockKind{"decoder", "ffn", "decoder.layers.*.fc1", &LayerConfig::ffn},
};

const std::vector<LayerConfig>& layers_of(const Model& model, const BlockKind& kind) {
  return std::string(kind.side) == "encoder" ? model.config.encoder_layers
                                             : model.config.decoder_layers;
}

int units_of(const Model& model, const BlockKind& kind) {
  int sum = 0;
  for (const LayerConfig& layer : layers_of(model, kind)) sum += layer.*kind.units;
  return sum;
}

// Which half does not matter: every unit of a kind is the same work.
Model without_half(Model model, const BlockKind& kind) {
  unit_pruning(model, 0.5, PruningNorm::l2, {.layers = {kind.matrices}, .force = true});
  make_permanent(model);
  return model;
}

}  // namespace

UnitCosts measure_unit_costs(const Model& model, const UnitTimingOptions& given) {
  const UnitTimingOptions options = with_workers(given);
  Model dense_model = model;
  make_permanent(dense_model);  // its masks, if any: both are then of one kind
  TimedModel dense(dense_model, options);
  const std::size_t rounds = kKinds.size() * static_cast<std::size_t>(options.rounds);
  std::size_t done = 0;
  UnitCosts costs;
  std::vector<double> totals;
  for (const BlockKind& kind : kKinds) {
    const Model half_model = without_half(dense_model, kind);
    TimedModel half(half_model, options);
    std::vector<double> differences;
    for (int round = 0; round < options.rounds; ++round) {
      totals.push_back(dense.seconds());
      differences.push_back(totals.back() - half.seconds());
      if (options.progress) options.progress({.done = ++done, .total = rounds});
    }
    const int removed = units_of(dense_model, kind) - units_of(half_model, kind);
    const double cost = removed > 0 ? std::max(0.0, median(differences) / removed) : 0;
    for (std::size_t i = 0; i < layers_of(model, kind).size(); ++i) {
      costs.of_unit.emplace(
          std::string(kind.side) + ".layers." + std::to_string(i) + "." + kind.block, cost);
    }
  }
  costs.total = median(std::move(totals));
  return costs;
}

}  // namespace kobolt
