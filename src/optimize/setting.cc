#include "optimize/setting.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <string_view>
#include <system_error>

#include "kobolt/error.h"

namespace kobolt {
namespace {

constexpr std::string_view kBetweenParts = ", ";
constexpr std::string_view kShare = " % int4";
constexpr std::string_view kSparse = "stored sparsely";
constexpr std::string_view kCache = "KV cache ";
constexpr std::string_view kGreedy = "greedy";
constexpr std::string_view kBeams = " beams";
constexpr std::string_view kThread = " thread";
constexpr std::string_view kThreads = " threads";
constexpr std::string_view kBatch = "batch ";

// A number with these words before and behind it, and nothing else.
template <typename Number>
std::optional<Number> number_between(std::string_view text, std::string_view before,
                                     std::string_view behind) {
  if (!text.starts_with(before) || !text.ends_with(behind)) return std::nullopt;
  text.remove_prefix(before.size());
  text.remove_suffix(std::min(text.size(), behind.size()));
  Number number = 0;
  const char* end = text.data() + text.size();
  const auto [read, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc() || read != end) return std::nullopt;
  return number;
}

// Adds what a part of a name says, but for the first one.
void add_part(Setting& setting, std::string_view part) {
  if (const auto percent = number_between<double>(part, "", kShare)) {
    setting.compile.int4_share = *percent / 100;
  } else if (part == kSparse) {
    setting.compile.sparse = SparseStorage::smallest;
  } else if (part.starts_with(kCache)) {
    setting.kv_cache = kv_cache_from_name(part.substr(kCache.size()));
  } else if (part == kGreedy) {
    setting.beams = 1;
  } else if (const auto beams = number_between<int>(part, "", kBeams)) {
    setting.beams = *beams;
  } else if (const auto threads =
                 number_between<int>(part, "", part.ends_with(kThread) ? kThread : kThreads)) {
    setting.threads = *threads;
  } else if (const auto batch = number_between<int>(part, kBatch, "")) {
    setting.batch = *batch;
  } else if (part.find('@') != std::string_view::npos) {
    setting.pruning = pruning_step_from_name(std::string(part));
  } else {
    setting.compile.layers.push_back(layer_precision_from_text(part));
  }
}

}  // namespace

std::string name_of(const Setting& setting) {
  const CompileOptions& compile = setting.compile;
  std::string name(name_of(compile.precision));
  const auto add = [&](const std::string& part) { name.append(kBetweenParts).append(part); };
  if (compile.int4_share > 0) add(fmt::format("{:g}{}", 100 * compile.int4_share, kShare));
  for (const LayerPrecision& layer : compile.layers) {
    add(fmt::format("{}={}", layer.pattern, name_of(layer.precision)));
  }
  if (setting.pruning) add(name_of(*setting.pruning));
  if (compile.sparse == SparseStorage::smallest) add(std::string(kSparse));
  const KvCache cache = settled(setting.kv_cache, compile.precision);
  if (cache != settled(KvCache::automatic, compile.precision)) {
    add(fmt::format("{}{}", kCache, name_of(cache)));
  }
  if (setting.beams == 1) add(std::string(kGreedy));
  if (setting.beams > 1) add(fmt::format("{}{}", setting.beams, kBeams));
  if (setting.threads == 1) add(fmt::format("1{}", kThread));
  if (setting.threads > 1) add(fmt::format("{}{}", setting.threads, kThreads));
  if (setting.batch > 0) add(fmt::format("{}{}", kBatch, setting.batch));
  return name;
}

Setting setting_from_name(const std::string& name) {
  std::string_view rest = name;
  const auto next_part = [&rest] {
    const std::size_t end = std::min(rest.find(kBetweenParts), rest.size());
    const std::string_view part = rest.substr(0, end);
    rest.remove_prefix(end);
    return part;
  };
  Setting setting{.compile = {.precision = precision_from_name(next_part())}};
  while (!rest.empty()) {
    rest.remove_prefix(kBetweenParts.size());
    add_part(setting, next_part());
  }
  return setting;
}

}  // namespace kobolt
