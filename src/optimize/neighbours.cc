#include "optimize/neighbours.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <string>
#include <tuple>
#include <utility>

#include "compile/precision_plan.h"

namespace kobolt {
namespace {

// Halves of the model first: what they say leads to their parts.
const std::vector<std::string>& layer_groups() {
  static const std::vector<std::string> groups{"encoder.layers.*",     "decoder.layers.*",
                                               "encoder.layers.*.fc1", "encoder.layers.*.fc2",
                                               "decoder.layers.*.fc1", "decoder.layers.*.fc2"};
  return groups;
}

bool allowed(const OptimizeSpace& space, Precision precision) {
  return std::ranges::find(space.precisions, precision) != space.precisions.end();
}

bool leaves_zeros(const PruningRecipe& recipe) {
  return recipe.unit != PruningUnit::whole && recipe.layers_of.empty();
}

// Single zeros make an engine smaller only where matrices are stored without them, and no faster;
// int4 is always stored whole.
bool sensible(const Setting& setting) {
  return !setting.pruning || setting.compile.precision != Precision::int4 ||
         !leaves_zeros(setting.pruning->recipe);
}

// Weights of the matrices in a model's layers.
std::int64_t layer_weights(const ModelConfig& config) {
  std::int64_t rows = 0;
  for (const auto* layers : {&config.encoder_layers, &config.decoder_layers}) {
    for (const LayerConfig& layer : *layers) {
      constexpr int kProjections = 4;
      rows += static_cast<std::int64_t>(kProjections) * (layer.self_heads + layer.cross_heads) *
                  layer.head_dim +
              2 * layer.ffn;
    }
  }
  return rows * config.d_model;
}

class Collector {
 public:
  Collector(const OptimizeSpace& space, const ModelConfig& config)
      : space_(space), config_(config) {}

  void precision_of(const Setting& from, const std::string& pattern, Precision precision) {
    if (!allowed(space_, precision)) return;
    Setting setting = from;
    auto& layers = setting.compile.layers;
    std::erase_if(layers, [&](const auto& layer) { return layer.pattern == pattern; });
    layers.push_back({.pattern = pattern, .precision = precision});
    if (same_matrices(from.compile, setting.compile)) return;
    // The last match wins. One order for all, so that no engine is tried under two names.
    std::ranges::sort(layers, {}, [](const LayerPrecision& layer) {
      return std::tuple(layer.pattern.find('*') == std::string::npos, layer.pattern.size(),
                        layer.pattern);
    });
    add(setting);
  }

  void prunings(const Setting& from) {
    for (const PruningStep& step : space_.prunings) {
      Setting setting = from;
      setting.pruning = step;
      const bool single_zeros =
          leaves_zeros(step.recipe) && step.recipe.pattern.kind == PruningPattern::Kind::free;
      setting.compile.sparse = single_zeros ? SparseStorage::smallest : SparseStorage::automatic;
      if (sensible(setting)) add(setting);
    }
  }

  void running(const Setting& from) {
    const auto each = [&](const auto& values, auto member) {
      for (const auto& value : values) {
        Setting setting = from;
        setting.*member = value;
        add(setting);
      }
    };
    each(space_.beams, &Setting::beams);
    each(space_.kv_caches, &Setting::kv_cache);
    each(space_.threads, &Setting::threads);
    each(space_.batches, &Setting::batch);
  }

  void add(const Setting& setting) { settings_.push_back(setting); }
  std::vector<Setting> take() { return std::move(settings_); }

 private:
  // Whether both give every matrix the same precision, as far as patterns say.
  [[nodiscard]] bool same_matrices(CompileOptions a, CompileOptions b) const {
    a.int4_share = b.int4_share = 0;
    return PrecisionPlan(a, config_) == PrecisionPlan(b, config_);
  }

  const OptimizeSpace& space_;
  const ModelConfig& config_;
  std::vector<Setting> settings_;
};

// What a part of an engine might have instead.
std::optional<Precision> beside(Precision precision, Change change) {
  const bool finer = change == Change::finer;
  switch (precision) {
    case Precision::fp32:
    case Precision::fp16:
    case Precision::bf16:
      if (!finer) return Precision::int8;
      break;
    case Precision::int8:
      return finer ? Precision::fp16 : Precision::int4;
    case Precision::int4:
      if (finer) return Precision::int8;
      break;
  }
  return std::nullopt;
}

// Shares of int4 beside int8. What lies between two of them differs by little.
constexpr double kShareStep = 0.125;

bool can_mix(const Setting& setting, const OptimizeSpace& space) {
  // A pruned model would have to be rounded anew, which takes as long as a few trials.
  return space.mixed && !setting.pruning && setting.compile.precision == Precision::int8 &&
         setting.compile.layers.empty() && allowed(space, Precision::int4);
}

void change_share(const Setting& setting, Change change, const OptimizeSpace& space,
                  Collector& found) {
  Setting mixture = setting;
  double& share = mixture.compile.int4_share;
  const auto add = [&](double wanted) {
    if (wanted < kShareStep / 2 || wanted > 1 - kShareStep / 2) return;
    share = wanted;
    found.add(mixture);
  };
  if (setting.compile.precision == Precision::int4 && change == Change::finer &&
      setting.compile.layers.empty() && allowed(space, Precision::int8)) {
    mixture.compile.precision = Precision::int8;
    for (const double wanted : {0.75, 0.5, 0.25}) add(wanted);
  }
  if (!can_mix(setting, space)) return;
  if (share == 0) {
    if (change == Change::cheaper) {
      for (const double wanted : {0.25, 0.5, 0.75}) add(wanted);
    }
    return;
  }
  const double steps = share / kShareStep;
  add(kShareStep * (change == Change::cheaper ? std::floor(steps) + 1 : std::ceil(steps) - 1));
}

void change_layers(const Setting& setting, Change change, Collector& found) {
  // Beside a share of int4 groups of layers would be more of the same, or nothing new.
  const auto precision =
      setting.compile.int4_share > 0 ? std::nullopt : beside(setting.compile.precision, change);
  if (precision) {
    for (const std::string& group : layer_groups()) found.precision_of(setting, group, *precision);
  }
  // Whatever the layers have, every token passes here twice; in int4 engines it is int8.
  found.precision_of(setting, "lm_head",
                     change == Change::finer ? Precision::fp16 : Precision::int4);
}

// Layers of a side go back to what the others have, one by one; but for a model with fewer of them.
void refine_layers(const Setting& setting, const ModelConfig& config, Collector& found) {
  if (setting.pruning && !setting.pruning->recipe.layers_of.empty()) return;
  for (const LayerPrecision& layer : setting.compile.layers) {
    const std::size_t star = layer.pattern.find('*');
    if (star == std::string::npos) continue;
    const std::size_t count = layer.pattern.starts_with("encoder") ? config.encoder_layers.size()
                                                                   : config.decoder_layers.size();
    for (std::size_t i = 0; i < count; ++i) {
      std::string one = layer.pattern;
      found.precision_of(setting, one.replace(star, 1, std::to_string(i)),
                         setting.compile.precision);
    }
  }
}

}  // namespace

std::vector<Setting> first_settings(const OptimizeSpace& space) {
  std::vector<Setting> settings;
  for (const Precision precision : space.precisions) {
    settings.push_back({.compile = {.precision = precision},
                        .kv_cache = space.kv_caches.front(),
                        .beams = space.beams.front(),
                        .threads = space.threads.front(),
                        .batch = space.batches.front()});
  }
  return settings;
}

std::vector<Setting> neighbours(const Setting& setting, Change change, const OptimizeSpace& space,
                                const ModelConfig& config) {
  Collector found(space, config);
  found.running(setting);
  if (space.mixed) {
    change_share(setting, change, space, found);
    change_layers(setting, change, found);
    if (change == Change::finer) refine_layers(setting, config, found);
  }
  if (change == Change::cheaper) found.prunings(setting);
  return found.take();
}

std::vector<Setting> mixed_to_size(const Setting& setting, std::uint64_t bytes, std::uint64_t most,
                                   const OptimizeSpace& space, const ModelConfig& config) {
  if (!can_mix(setting, space) || setting.compile.int4_share > 0 || bytes <= most) return {};
  // A byte becomes 4.5 bits.
  constexpr double kSaved = 1 - 4.5 / 8;
  const double share =
      static_cast<double>(bytes - most) / (kSaved * static_cast<double>(layer_weights(config)));
  constexpr double kRounding = 1e-9;
  const double percent = std::ceil(100 * share - kRounding);
  // Whole matrices rarely add up to exactly that.
  constexpr double kRoom[] = {2, 4, 7, 10};
  std::vector<Setting> settings;
  for (const double room : kRoom) {
    Setting mixture = setting;
    mixture.compile.int4_share = (percent + room) / 100;
    if (mixture.compile.int4_share < 1) settings.push_back(std::move(mixture));
  }
  return settings;
}

}  // namespace kobolt
