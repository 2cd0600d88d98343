#include <algorithm>
#include <cmath>
#include <map>
#include <numbers>
#include <string>
#include <utility>
#include <vector>

#include "kobolt/prune.h"
#include "model/masking.h"
#include "model/pattern.h"
#include "prune/channels.h"
#include "prune/take.h"
#include "prune/units.h"

namespace kobolt {
namespace {

using Indices = std::vector<std::int64_t>;

double activate(Activation activation, double x) {
  switch (activation) {
    case Activation::none:
      return x;
    case Activation::gelu:
      return 0.5 * x * (1 + std::erf(x / std::numbers::sqrt2));
    case Activation::gelu_new:
      return 0.5 * x *
             (1 + std::tanh(std::sqrt(2 / std::numbers::pi) * (x + 0.044715 * x * x * x)));
    case Activation::relu:
      return std::max(x, 0.0);
    case Activation::silu:
      return x / (1 + std::exp(-x));
    case Activation::tanh:
      return std::tanh(x);
  }
  return x;
}

std::string bias_of(const std::string& weight) {
  return weight.substr(0, weight.size() - std::string(".weight").size()) + ".bias";
}

/// Which units of a group are dead: they bring nothing into the residual stream, or the same vector
/// for every token.
struct DeadUnits {
  std::vector<bool> dead;
  std::vector<bool> constant;  ///< dead, and the vector is not zero
  int count = 0;
};

class Shrinker {
 public:
  Shrinker(Model& model, bool uniform) : model_(model), uniform_(uniform) {}

  PermanentReport run() {
    const std::vector<UnitGroup> groups = unit_groups(model_.config);
    std::vector<DeadUnits> dead;
    dead.reserve(groups.size());
    for (const UnitGroup& group : groups) dead.push_back(find_dead(group));
    if (uniform_) level(groups, dead);
    for (std::size_t i = 0; i < groups.size(); ++i) shrink(groups[i], dead[i]);
    for (const UnitGroup& group : groups) explain(group);
    apply_masks();
    return std::move(report_);
  }

 private:
  [[nodiscard]] std::vector<bool> active(const UnitSide& side) const {
    const auto mask = model_.masks.find(side.tensor);
    if (mask != model_.masks.end()) return active_channels(mask->second, side.dim);
    const auto extent = model_.tensor(side.tensor).shape[static_cast<std::size_t>(side.dim)];
    return std::vector<bool>(static_cast<std::size_t>(extent), true);
  }

  // A head whose values are all pruned gives its value bias to every token, since attention
  // weights sum to 1; a neuron without inputs gives activation(bias).
  DeadUnits find_dead(const UnitGroup& group) {
    const std::vector<bool> outputs = active(group.output());
    const std::vector<bool> values = active(group.value());
    const auto any = [&](const std::vector<bool>& channels, int unit) {
      const auto begin = channels.begin() + static_cast<std::ptrdiff_t>(unit) * group.width;
      return std::find(begin, begin + group.width, true) != begin + group.width;
    };
    DeadUnits units;
    for (int u = 0; u < group.count; ++u) {
      const bool silent = !any(outputs, u);
      const bool constant = !silent && !any(values, u);
      units.dead.push_back(silent || constant);
      units.constant.push_back(constant);
    }
    // The engine and transformers need one unit; of a dead block the first stays, masked.
    if (std::ranges::find(units.dead, false) == units.dead.end()) {
      units.dead[0] = units.constant[0] = false;
      report_.stayed.push_back({group.name, 1, "a block cannot be empty: one unit stays, pruned"});
    }
    units.count = static_cast<int>(std::ranges::count(units.dead, true));
    return units;
  }

  // transformers has one ffn size for a whole side, and heads that fill d_model exactly.
  void level(const std::vector<UnitGroup>& groups, std::vector<DeadUnits>& dead) {
    for (const char* side : {"encoder", "decoder"}) {
      int most = -1;
      const auto mine = [&](std::size_t i) {
        return groups[i].name.starts_with(side) && !groups[i].attention;
      };
      for (std::size_t i = 0; i < groups.size(); ++i) {
        if (mine(i)) most = most < 0 ? dead[i].count : std::min(most, dead[i].count);
      }
      for (std::size_t i = 0; i < groups.size(); ++i) {
        if (!groups[i].name.starts_with(side)) continue;
        keep_all_but(mine(i) ? most : 0, groups[i], dead[i]);
      }
    }
  }

  void keep_all_but(int count, const UnitGroup& group, DeadUnits& units) {
    if (units.count == count) return;
    report_.stayed.push_back(
        {group.name, units.count - count,
         group.attention ? "transformers needs heads that fill d_model: pruned heads stay as zeros"
                         : "one ffn size for all layers of a side: pruned neurons stay as zeros"});
    for (std::size_t u = 0; u < units.dead.size(); ++u) {
      if (!units.dead[u]) continue;
      if (count > 0) {
        --count;
      } else {
        units.dead[u] = units.constant[u] = false;
        --units.count;
      }
    }
  }

  void shrink(const UnitGroup& group, const DeadUnits& units) {
    if (units.count == 0) return;
    fold_constants(group, units);
    Indices kept;
    for (std::size_t u = 0; u < units.dead.size(); ++u) {
      if (units.dead[u]) continue;
      for (int i = 0; i < group.width; ++i) {
        kept.push_back(static_cast<std::int64_t>(u) * group.width + i);
      }
    }
    for (const UnitSide& side : group.sides) {
      replace(side.tensor, side.dim, kept);
      if (side.dim == 0) replace(bias_of(side.tensor), 0, kept);
    }
    (group.attention ? report_.heads : report_.neurons) += units.count;
    LayerConfig& layer = layer_of(group.name);
    int& size = !group.attention                       ? layer.ffn
                : group.name.ends_with("encoder_attn") ? layer.cross_heads
                                                       : layer.self_heads;
    size -= units.count;
  }

  LayerConfig& layer_of(const std::string& name) {
    auto& layers =
        name.starts_with("encoder") ? model_.config.encoder_layers : model_.config.decoder_layers;
    return layers.at(std::stoul(name.substr(name.find("layers.") + 7)));
  }

  void fold_constants(const UnitGroup& group, const DeadUnits& units) {
    if (std::ranges::find(units.constant, true) == units.constant.end()) return;
    const std::vector<float> inputs = model_.tensor(bias_of(group.value().tensor)).to_f32();
    const std::vector<float> output = model_.effective_tensor(group.output().tensor).to_f32();
    Tensor& bias = model_.tensors.at(bias_of(group.output().tensor));
    std::vector<float> sums = bias.to_f32();
    const std::size_t columns = inputs.size();
    for (std::size_t row = 0; row < sums.size(); ++row) {
      double sum = sums[row];
      for (std::size_t c = 0; c < columns; ++c) {
        if (!units.constant[c / static_cast<std::size_t>(group.width)]) continue;
        const double value =
            group.attention ? inputs[c] : activate(model_.config.activation, inputs[c]);
        sum += output[row * columns + c] * value;
      }
      sums[row] = static_cast<float>(sum);
    }
    bias = Tensor::from_f32(bias.shape, std::move(sums));
  }

  void replace(const std::string& name, int dim, const Indices& kept) {
    Tensor& tensor = model_.tensors.at(name);
    const std::int64_t before = tensor.elements();
    tensor = take_channels(tensor, dim, kept);
    report_.removed_params += before - tensor.elements();
    if (const auto mask = model_.masks.find(name); mask != model_.masks.end()) {
      mask->second = take_channels(mask->second, dim, kept);
    }
  }

  // Whole rows and columns that are pruned and still there.
  void explain(const UnitGroup& group) {
    for (const UnitSide& side : group.sides) {
      const auto mask = model_.masks.find(side.tensor);
      if (mask == model_.masks.end()) continue;
      const std::string layer(module_of(side.tensor));
      const auto gone = [&](int dim) {
        const std::vector<bool> channels = active_channels(mask->second, dim);
        return static_cast<int>(std::ranges::count(channels, false));
      };
      if (const int inner = gone(side.dim); inner > 0 && group.attention) {
        report_.stayed.push_back({layer, inner, "only whole heads can vanish"});
      }
      if (const int outer = gone(1 - side.dim); outer > 0) {
        report_.stayed.push_back({layer, outer,
                                  side.dim == 1 ? "its rows feed the residual stream"
                                                : "its columns read the residual stream"});
      }
    }
  }

  void apply_masks() {
    for (const auto& [name, mask] : model_.masks) {
      Tensor& tensor = model_.tensors.at(name);
      if (mask.pruned() > 0) tensor = masked(tensor, mask);
    }
    model_.masks.clear();
    model_.pruning.permanent = true;
    model_.pruning.removed_params += report_.removed_params;
  }

  Model& model_;
  bool uniform_;
  PermanentReport report_;
};

}  // namespace

PermanentReport make_permanent(Model& model, bool uniform) {
  if (model.masks.empty()) return {};
  return Shrinker(model, uniform).run();
}

}  // namespace kobolt
