#include "cli/prune_report.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "cli/table.h"
#include "cli/unit_timing.h"

namespace kobolt::cli {
namespace {

std::string sparsity_text(double share) { return fmt::format("{:.2f} %", share * 100); }

std::string ratio_text(double ratio) {
  return std::isfinite(ratio) ? fmt::format("{:.3f}", ratio) : "infinite";
}

std::string layers_text(const PruneFlags& options, std::size_t count) {
  const std::string which = options.layers.empty()
                                ? "every linear layer except embeddings and output projection"
                                : fmt::format("{}", fmt::join(options.layers, ", "));
  return fmt::format("{} ({} matrices)", which, count);
}

std::string method_text(const PruneFlags& options) {
  const bool structured = options.method == "structured";
  if (options.unit == "whole" && (structured || options.method == "global")) {
    return fmt::format("{}, heads and ffn neurons by L-{} norm", options.method, options.norm);
  }
  if (!structured) {
    std::string text = options.method;
    if (options.pattern != "free") text += ", " + options.pattern;
    if (options.score != "magnitude") text += ", scored by " + options.score;
    return text;
  }
  return fmt::format("structured, {} by L-{} norm", options.dim == 0 ? "rows" : "columns",
                     options.norm);
}

// n:m says by itself how much goes.
double amount_of(const PruneFlags& options) {
  const PruningPattern pattern = pruning_pattern_from_name(options.pattern);
  if (pattern.kind != PruningPattern::Kind::n_of_m) return options.amount;
  return 1 - static_cast<double>(pattern.n) / pattern.m;
}

}  // namespace

Json to_json(const PruneFlags& options, const PruneOutcome& outcome) {
  const PruningStats& stats = outcome.stats;
  const PermanentReport& report = outcome.permanent;
  Json json = {{"model", options.model}, {"output", options.output}, {"method", options.method}};
  if (prunes_weights(options)) {
    json["amount"] = amount_of(options);
    json["seconds"] = outcome.seconds;
  }
  json[drops_layers(options) ? "dropped_layers" : "target_layers"] = outcome.targets;
  for (const DroppedLayer& layer : outcome.trials) {
    json["importance"].push_back({{"layer", layer.name}, {"rouge_l_without", layer.rouge_l}});
  }
  if (prunes_by_time(options)) {
    json["measured"]["seconds"] = outcome.timing.costs.total;
    json["measured"]["saved"] = outcome.timing.saved;
    for (const auto& [kind, seconds] : costs_by_kind(outcome.timing.costs)) {
      json["measured"]["microseconds_of_one"][kind] = seconds * 1e6;
    }
  }
  if (!options.vocabulary.empty()) {
    json["vocabulary"] = {{"before", outcome.vocabulary.before},
                          {"after", outcome.vocabulary.after}};
  }
  if (options.method == "magnitude" || options.method == "global" || options.method == "row") {
    json["pattern"] = options.pattern;
    json["score"] = options.score;
  }
  if (options.method == "structured") {
    json["unit"] = options.unit;
    if (options.unit == "channel") json["dim"] = options.dim;
    json["norm"] = options.norm;
  }
  json.update(
      {{"format", options.format},
       {"permanent", options.permanent || options.uniform},
       {"total_params", stats.total_params},
       {"pruned_params", stats.pruned_params},
       {"active_params", stats.active_params},
       {"sparsity", stats.sparsity},
       {"compression_ratio",
        std::isfinite(stats.compression_ratio) ? Json(stats.compression_ratio) : Json(nullptr)}});
  if (options.permanent || options.uniform) {
    json["removed"] = {
        {"heads", report.heads}, {"neurons", report.neurons}, {"params", report.removed_params}};
    json["stayed"] = Json::array();
    for (const StayedChannels& stayed : report.stayed) {
      json["stayed"].push_back(
          {{"layer", stayed.layer}, {"count", stayed.count}, {"why", stayed.why}});
    }
  }
  for (const LayerPruning& layer : stats.layers) {
    json["layers"].push_back({{"name", layer.name},
                              {"total_params", layer.total},
                              {"pruned_params", layer.pruned},
                              {"sparsity", layer.sparsity()}});
  }
  return json;
}

void print_report(const PermanentReport& report, bool verbose) {
  print("removed for good: {} heads, {} ffn neurons, {} parameters\n", report.heads, report.neurons,
        report.removed_params);
  std::vector<std::pair<std::string, int>> reasons;
  for (const StayedChannels& stayed : report.stayed) {
    if (verbose) print("  stays as zeros: {} of {}: {}\n", stayed.count, stayed.layer, stayed.why);
    const auto known =
        std::ranges::find(reasons, stayed.why, [](const auto& r) { return r.first; });
    if (known != reasons.end()) {
      known->second += stayed.count;
    } else {
      reasons.emplace_back(stayed.why, stayed.count);
    }
  }
  for (const auto& [why, count] : reasons) {
    if (!verbose) print("  stay as zeros: {}, because: {}\n", count, why);
  }
}

void print_text(const PruneFlags& options, const PruneOutcome& outcome) {
  const PruningStats& stats = outcome.stats;
  std::vector<std::pair<std::string, std::string>> head = {{"method", method_text(options)}};
  if (prunes_weights(options)) {
    head.emplace_back("amount", fmt::format("{}", amount_of(options)));
    head.emplace_back("target layers", layers_text(options, outcome.targets.size()));
  }
  if (prunes_by_time(options)) {
    head.emplace_back(
        "measured", fmt::format("{:.1f} ms, of which {:.1f} % go", outcome.timing.costs.total * 1e3,
                                outcome.timing.saved * 100));
    for (const auto& [kind, seconds] : costs_by_kind(outcome.timing.costs)) {
      head.emplace_back("one of " + kind, fmt::format("{:.2f} us", seconds * 1e6));
    }
  }
  if (drops_layers(options)) {
    head.emplace_back("dropped", fmt::format("{}", fmt::join(outcome.targets, ", ")));
  }
  if (!options.vocabulary.empty()) {
    head.emplace_back("vocabulary", fmt::format("{} tokens of {}", outcome.vocabulary.after,
                                                outcome.vocabulary.before));
  }
  print("{}", key_values(head));
  for (const DroppedLayer& layer : outcome.trials) {
    print("  without {}: ROUGE-L {:.4f}\n", layer.name, layer.rouge_l);
  }
  if (options.verbose) {
    Table table(
        {{"layer"}, {"weights", Align::right}, {"pruned", Align::right}, {"", Align::right}});
    for (const LayerPruning& layer : stats.layers) {
      if (layer.pruned == 0) continue;
      table.add_row({layer.name, fmt::format("{}", layer.total), fmt::format("{}", layer.pruned),
                     sparsity_text(layer.sparsity())});
    }
    print("\n{}\n", table.text());
  }
  print("{}", key_values({{"total parameters", fmt::format("{}", stats.total_params)},
                          {"pruned", fmt::format("{}", stats.pruned_params)},
                          {"active", fmt::format("{}", stats.active_params)},
                          {"sparsity", sparsity_text(stats.sparsity)},
                          {"compression ratio", ratio_text(stats.compression_ratio)},
                          {"saved", options.output}}));
  if (options.verbose && prunes_weights(options)) {
    print("chosen in {:.2f} s\n", outcome.seconds);
  }
}

void warn(const PruneFlags& options, const PruneOutcome& outcome) {
  if (!outcome.ordinary) {
    say("warning", options.output +
                       ": its layers have shapes that transformers cannot load; Kobolt can "
                       "(see --uniform)");
  }
  if (options.format == "pairs" && prunes_weights(options)) {
    say("warning",
        options.output +
            ": transformers' from_pretrained knows no masks and would make up the pruned "
            "matrices; docs/pruning.md shows how PyTorch reads them");
  }
}

}  // namespace kobolt::cli
