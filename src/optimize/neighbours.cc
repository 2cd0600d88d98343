#include "optimize/neighbours.h"

#include <fmt/format.h>

#include <algorithm>
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
  }

  void add(const Setting& setting) { settings_.push_back(setting); }
  std::vector<Setting> take() { return std::move(settings_); }

 private:
  const OptimizeSpace& space_;
  std::vector<Setting> settings_;
};

// What a part of an engine might have instead: the next smaller format, and the next larger one.
std::vector<Precision> beside(Precision precision) {
  switch (precision) {
    case Precision::fp32:
      return {Precision::int8};
    case Precision::fp16:
    case Precision::bf16:
      return {Precision::int8};
    case Precision::int8:
      return {Precision::int4, Precision::fp16};
    case Precision::int4:
      return {Precision::int8};
  }
  return {};
}

void refine_layers(const Setting& setting, const ModelConfig& config, Collector& found) {
  for (const LayerPrecision& layer : setting.compile.layers) {
    const bool encoder = layer.pattern == "encoder.layers.*";
    if (!encoder && layer.pattern != "decoder.layers.*") continue;
    const std::size_t count = encoder ? config.encoder_layers.size() : config.decoder_layers.size();
    for (std::size_t i = 0; i < count; ++i) {
      found.precision_of(setting, fmt::format("{}.layers.{}", encoder ? "encoder" : "decoder", i),
                         setting.compile.precision);
    }
  }
}

}  // namespace

std::vector<Setting> first_settings(const OptimizeSpace& space) {
  Collector found(space);
  for (const Precision precision : space.precisions) {
    Setting setting;
    setting.compile.precision = precision;
    setting.beams = space.beams.front();
    setting.kv_cache = space.kv_caches.front();
    setting.threads = space.threads.front();
    found.add(setting);
  }
  Setting best;
  best.compile.precision =
      allowed(space, Precision::int8) ? Precision::int8 : space.precisions.back();
  best.beams = space.beams.front();
  best.kv_cache = space.kv_caches.front();
  best.threads = space.threads.front();
  found.running(best);
  found.prunings(best);
  return found.take();
}

std::vector<Setting> neighbours(const Setting& setting, const OptimizeSpace& space,
                                const ModelConfig& config) {
  Collector found(space);
  found.running(setting);
  if (space.mixed) {
    for (const std::string& group : layer_groups()) {
      for (const Precision precision : beside(setting.compile.precision)) {
        found.precision_of(setting, group, precision);
      }
    }
    // Whatever the layers have, every token passes here twice.
    for (const Precision precision : {Precision::int4, Precision::fp16}) {
      found.precision_of(setting, "lm_head", precision);
    }
    refine_layers(setting, config, found);
  }
  found.prunings(setting);
  return found.take();
}

}  // namespace kobolt
