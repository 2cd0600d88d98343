#include "optimize/space.h"

#include <algorithm>
#include <vector>

#include "base/machine.h"

namespace kobolt {
namespace {

template <typename Value>
bool among(const std::vector<Value>& values, const Value& value) {
  return std::ranges::find(values, value) != values.end();
}

// Each value once; `usual` is 0.
std::vector<int> distinct_values(const std::vector<int>& values, int usual) {
  std::vector<int> distinct;
  for (int value : values) {
    if (value == usual) value = 0;
    if (!among(distinct, value)) distinct.push_back(value);
  }
  return distinct;
}

bool compiles_within(const CompileOptions& compile, const OptimizeSpace& space) {
  const bool mixed = compile.int4_share > 0 || !compile.layers.empty();
  if (mixed && !space.mixed) return false;
  if (compile.int4_share > 0 && !among(space.precisions, Precision::int4)) return false;
  return among(space.precisions, compile.precision) &&
         std::ranges::all_of(compile.layers, [&](const LayerPrecision& layer) {
           return among(space.precisions, layer.precision);
         });
}

bool prunes_within(const Setting& setting, const OptimizeSpace& space) {
  return !setting.pruning || std::ranges::any_of(space.prunings, [&](const PruningStep& step) {
    return name_of(step) == name_of(*setting.pruning);
  });
}

}  // namespace

OptimizeSpace distinct_space(const OptimizeOptions& options, int checkpoint_beams) {
  OptimizeSpace space = options.space;
  space.beams = distinct_values(space.beams, checkpoint_beams);
  space.batches = distinct_values(space.batches, options.batch);
  space.threads =
      distinct_values(space.threads, options.threads > 0 ? options.threads : usable_cores());
  return space;
}

bool within(const Setting& setting, const OptimizeSpace& space) {
  const Precision precision = setting.compile.precision;
  const KvCache cache = settled(setting.kv_cache, precision);
  return compiles_within(setting.compile, space) && prunes_within(setting, space) &&
         std::ranges::any_of(space.kv_caches,
                             [&](KvCache other) { return settled(other, precision) == cache; }) &&
         among(space.beams, setting.beams) && among(space.threads, setting.threads) &&
         among(space.batches, setting.batch);
}

}  // namespace kobolt
