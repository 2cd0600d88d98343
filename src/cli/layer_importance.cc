#include "cli/layer_importance.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "cli/summary_score.h"
#include "kobolt/error.h"
#include "kobolt/prune.h"
#include "kobolt/summarizer.h"

namespace kobolt::cli {
namespace {

/// One side's layers by their first names.
struct SideLayers {
  std::string name;
  std::vector<int> left;
  int wanted;
};

SideLayers side_layers(const char* name, const std::vector<LayerConfig>& layers, int wanted) {
  SideLayers side{.name = name, .wanted = wanted};
  const int count = static_cast<int>(layers.size());
  if (wanted < 1 || wanted > count) {
    throw Error(ErrorKind::invalid_argument, "so many layers cannot be kept",
                {.field = side.name + " layers",
                 .found = std::to_string(wanted),
                 .expected = fmt::format("1 to {}", count)});
  }
  for (int i = 0; i < count; ++i) side.left.push_back(i);
  return side;
}

// Trials of dropping from n layers until `wanted` are left: n + (n - 1) + ...
std::size_t trial_count(const SideLayers& side) {
  std::size_t count = 0;
  for (auto n = side.left.size(); n > static_cast<std::size_t>(side.wanted); --n) count += n;
  return count;
}

}  // namespace

std::vector<DroppedLayer> drop_by_importance(
    Model& model, int encoder_layers, int decoder_layers, std::span<const Example> data,
    int threads, const std::function<void(std::size_t, std::size_t)>& progress) {
  SideLayers sides[] = {side_layers("encoder", model.config.encoder_layers, encoder_layers),
                        side_layers("decoder", model.config.decoder_layers, decoder_layers)};
  const SummaryScore summaries(data);
  const std::size_t total = trial_count(sides[0]) + trial_count(sides[1]);
  std::size_t done = 0;
  std::vector<DroppedLayer> dropped;
  for (SideLayers& side : sides) {
    while (static_cast<int>(side.left.size()) > side.wanted) {
      double best = -1;
      std::size_t least = 0;
      for (std::size_t i = 0; i < side.left.size(); ++i) {
        Model trial = model;
        drop_layers(trial, {fmt::format("{}.layers.{}", side.name, i)});
        Summarizer engine(trial, {.threads = threads}, {.precision = Precision::int8});
        const double score = summaries.rouge_l(engine);
        if (score > best) {
          best = score;
          least = i;
        }
        progress(++done, total);
      }
      drop_layers(model, {fmt::format("{}.layers.{}", side.name, least)});
      dropped.push_back({fmt::format("{}.layers.{}", side.name, side.left[least]), best});
      side.left.erase(side.left.begin() + static_cast<std::ptrdiff_t>(least));
    }
  }
  return dropped;
}

}  // namespace kobolt::cli
