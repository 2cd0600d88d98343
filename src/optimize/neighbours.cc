#include "optimize/neighbours.h"

#include <algorithm>
#include <optional>
#include <string>
#include <tuple>
#include <utility>

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

// Single zeros make an engine smaller only where matrices are stored without them, and no faster;
// int4 is always stored whole.
bool sensible(const Setting& setting) {
  return !setting.pruning || setting.compile.precision != Precision::int4 ||
         setting.pruning->recipe.unit == PruningUnit::whole;
}

class Collector {
 public:
  explicit Collector(const OptimizeSpace& space) : space_(space) {}

  void precision_of(const Setting& from, const std::string& pattern, Precision precision) {
    if (!allowed(space_, precision)) return;
    Setting setting = from;
    auto& layers = setting.compile.layers;
    std::erase_if(layers, [&](const auto& layer) { return layer.pattern == pattern; });
    layers.push_back({.pattern = pattern, .precision = precision});
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
      const bool single_zeros = step.recipe.unit != PruningUnit::whole &&
                                step.recipe.pattern.kind == PruningPattern::Kind::free;
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
  const OptimizeSpace& space_;
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

void change_layers(const Setting& setting, Change change, Collector& found) {
  if (const auto precision = beside(setting.compile.precision, change)) {
    for (const std::string& group : layer_groups()) found.precision_of(setting, group, *precision);
  }
  // Whatever the layers have, every token passes here twice; in int4 engines it is int8.
  found.precision_of(setting, "lm_head",
                     change == Change::finer ? Precision::fp16 : Precision::int4);
}

// Layers of a side go back to what the others have, one by one.
void refine_layers(const Setting& setting, const ModelConfig& config, Collector& found) {
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
  Collector found(space);
  for (const Precision precision : space.precisions) {
    found.add({.compile = {.precision = precision},
               .kv_cache = space.kv_caches.front(),
               .beams = space.beams.front(),
               .threads = space.threads.front(),
               .batch = space.batches.front()});
  }
  return found.take();
}

std::vector<Setting> neighbours(const Setting& setting, Change change, const OptimizeSpace& space,
                                const ModelConfig& config) {
  Collector found(space);
  found.running(setting);
  if (space.mixed) {
    change_layers(setting, change, found);
    if (change == Change::finer) refine_layers(setting, config, found);
  }
  if (change == Change::cheaper) found.prunings(setting);
  return found.take();
}

}  // namespace kobolt
