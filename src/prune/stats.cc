#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <set>
#include <string>

#include "base/atomic_file.h"
#include "kobolt/prune.h"
#include "model/layout.h"
#include "model/pattern.h"
#include "prune/keys.h"
#include "prune/targets.h"

namespace kobolt {
namespace {

// Pruned weights of a permanent model are zeros like any other.
std::int64_t zeros(const Tensor& tensor) {
  std::int64_t count = 0;
  const auto size = static_cast<std::size_t>(tensor.elements());
  KeyBlock keys{};
  for (std::size_t at = 0; at < size; at += kBlock) {
    const std::size_t block = std::min(kBlock, size - at);
    load_keys(tensor, at, block, keys);
    for (std::size_t i = 0; i < block; ++i) count += keys[i] == 0 ? 1 : 0;
  }
  return count;
}

nlohmann::ordered_json number(double value) {
  return std::isfinite(value) ? nlohmann::ordered_json(value) : nlohmann::ordered_json(nullptr);
}

}  // namespace

PruningStats get_pruning_stats(const Model& model) {
  PruningStats stats;
  stats.total_params = stats.pruned_params = model.pruning.removed_params;
  for (const TensorSpec& spec : expected_tensors(model.config)) {
    const auto found = model.tensors.find(spec.name);
    // final_logits_bias is a buffer, not a parameter.
    if (found == model.tensors.end() || spec.name == "final_logits_bias") continue;
    const Tensor& tensor = found->second;
    LayerPruning layer{.name = std::string(module_of(spec.name)), .shape = tensor.shape};
    layer.total = tensor.elements();
    const bool linear = is_linear_weight(spec.name, tensor.shape.size());
    const auto mask = model.masks.find(spec.name);
    if (mask != model.masks.end()) {
      layer.pruned = static_cast<std::int64_t>(mask->second.pruned());
    } else if (linear && model.pruning.permanent) {
      layer.pruned = zeros(tensor);
    }
    stats.total_params += layer.total;
    stats.pruned_params += layer.pruned;
    if (linear || layer.pruned > 0) stats.layers.push_back(std::move(layer));
  }
  stats.active_params = stats.total_params - stats.pruned_params;
  if (stats.total_params > 0) {
    stats.sparsity =
        static_cast<double>(stats.pruned_params) / static_cast<double>(stats.total_params);
  }
  stats.compression_ratio =
      stats.sparsity < 1 ? 1 / (1 - stats.sparsity) : std::numeric_limits<double>::infinity();
  return stats;
}

void save_pruning_stats(const PruningStats& stats, const std::filesystem::path& file) {
  nlohmann::ordered_json json = {{"total_params", stats.total_params},
                                 {"pruned_params", stats.pruned_params},
                                 {"active_params", stats.active_params},
                                 {"sparsity", stats.sparsity},
                                 {"compression_ratio", number(stats.compression_ratio)},
                                 {"layers", nlohmann::ordered_json::array()}};
  for (const LayerPruning& layer : stats.layers) {
    json["layers"].push_back({{"name", layer.name},
                              {"shape", layer.shape},
                              {"total_params", layer.total},
                              {"pruned_params", layer.pruned},
                              {"sparsity", layer.sparsity()}});
  }
  write_file(file, json.dump(2) + "\n");
}

}  // namespace kobolt
