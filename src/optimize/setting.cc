#include <fmt/format.h>

#include "kobolt/optimize.h"

namespace kobolt {

std::string name_of(const Setting& setting) {
  std::string name(name_of(setting.compile.precision));
  if (setting.compile.int4_share > 0) {
    name += fmt::format(", {:g} % int4", 100 * setting.compile.int4_share);
  }
  for (const LayerPrecision& layer : setting.compile.layers) {
    name += fmt::format(", {}={}", layer.pattern, name_of(layer.precision));
  }
  if (setting.pruning) name += ", " + name_of(*setting.pruning);
  if (setting.compile.sparse == SparseStorage::smallest) name += ", stored sparsely";
  if (setting.kv_cache != KvCache::automatic) {
    name += fmt::format(", KV cache {}", name_of(setting.kv_cache));
  }
  if (setting.beams == 1) name += ", greedy";
  if (setting.beams > 1) name += fmt::format(", {} beams", setting.beams);
  if (setting.threads > 0) {
    name += fmt::format(", {} thread{}", setting.threads, setting.threads == 1 ? "" : "s");
  }
  if (setting.batch > 0) name += fmt::format(", batch {}", setting.batch);
  return name;
}

}  // namespace kobolt
