#include "prune/units.h"

#include <algorithm>
#include <utility>

#include "prune/channels.h"

namespace kobolt {
namespace {

UnitGroup attention(const std::string& layer, const char* name, int heads, int head_dim) {
  const std::string module = layer + name;
  UnitGroup group{.name = module, .attention = true, .count = heads, .width = head_dim};
  for (const char* projection : {".q_proj", ".k_proj", ".v_proj"}) {
    group.sides.push_back({"model." + module + projection + ".weight", 0});
  }
  group.sides.push_back({"model." + module + ".out_proj.weight", 1});
  return group;
}

UnitGroup feed_forward(const std::string& layer, int neurons) {
  return {.name = layer + "ffn",
          .count = neurons,
          .sides = {{"model." + layer + "fc1.weight", 0}, {"model." + layer + "fc2.weight", 1}}};
}

void add_side(const std::string& side, const std::vector<LayerConfig>& layers,
              std::vector<UnitGroup>& groups) {
  for (std::size_t i = 0; i < layers.size(); ++i) {
    const LayerConfig& shape = layers[i];
    const std::string layer = side + ".layers." + std::to_string(i) + ".";
    groups.push_back(attention(layer, "self_attn", shape.self_heads, shape.head_dim));
    if (shape.cross_heads > 0) {
      groups.push_back(attention(layer, "encoder_attn", shape.cross_heads, shape.head_dim));
    }
    groups.push_back(feed_forward(layer, shape.ffn));
  }
}

}  // namespace

std::vector<UnitGroup> unit_groups(const ModelConfig& config) {
  std::vector<UnitGroup> groups;
  add_side("encoder", config.encoder_layers, groups);
  add_side("decoder", config.decoder_layers, groups);
  return groups;
}

std::vector<UnitGroup> groups_with(std::vector<UnitGroup> groups,
                                   std::span<const std::string> tensors) {
  std::erase_if(groups, [&](const UnitGroup& group) {
    return std::ranges::none_of(group.sides, [&](const UnitSide& side) {
      return std::ranges::find(tensors, side.tensor) != tensors.end();
    });
  });
  return groups;
}

std::vector<double> unit_ranks(std::span<const Candidates> pieces, const UnitGroup& group,
                               PruningNorm norm) {
  std::vector<double> ranks(static_cast<std::size_t>(group.count));
  for (const UnitSide& side : group.sides) {
    const auto piece = std::ranges::find(pieces, side.tensor, &Candidates::name);
    const auto channels = channel_ranks(*piece, side.dim, norm);
    for (std::size_t i = 0; i < channels.size(); ++i) {
      double& rank = ranks[i / static_cast<std::size_t>(group.width)];
      // Sums of absolute values and of squares add up over matrices; maxima do not.
      rank = norm == PruningNorm::infinity ? std::max(rank, channels[i]) : rank + channels[i];
    }
  }
  return ranks;
}

std::vector<std::int64_t> active_units(const UnitGroup& group,
                                       const std::map<std::string, Mask>& masks) {
  std::vector<bool> active(static_cast<std::size_t>(group.count), false);
  const std::vector<bool> channels =
      active_channels(masks.at(group.output().tensor), group.output().dim);
  for (std::size_t i = 0; i < channels.size(); ++i) {
    if (channels[i]) active[i / static_cast<std::size_t>(group.width)] = true;
  }
  std::vector<std::int64_t> units;
  for (std::size_t i = 0; i < active.size(); ++i) {
    if (active[i]) units.push_back(static_cast<std::int64_t>(i));
  }
  return units;
}

void prune_unit(const UnitGroup& group, std::int64_t unit, std::map<std::string, Mask>& masks) {
  for (const UnitSide& side : group.sides) {
    for (int i = 0; i < group.width; ++i) {
      prune_channel(masks.at(side.tensor), side.dim, unit * group.width + i);
    }
  }
}

}  // namespace kobolt
