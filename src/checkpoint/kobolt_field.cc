#include "checkpoint/kobolt_field.h"

#include <cstdint>
#include <limits>

#include "checkpoint/json_fields.h"

namespace kobolt {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;

constexpr std::int64_t kMaxLayerWidth = 1 << 16;

std::vector<LayerConfig> parse_layers(const JsonFields& fields, const char* key, bool decoder) {
  std::vector<LayerConfig> layers;
  const json* list = fields.find(key);
  if (list == nullptr) return layers;
  if (!list->is_array() || list->empty()) fields.fail(key, *list, "a list of layers");
  for (const json& element : *list) {
    if (!element.is_object()) fields.fail(key, element, "an object for each layer");
    const JsonFields layer(element, fields.file());
    const auto size = [&](const char* name, std::int64_t most) {
      return static_cast<int>(layer.integer(name, 0, 1, most));
    };
    LayerConfig shape{.self_heads = size("self_heads", kMaxLayerWidth),
                      .cross_heads = decoder ? size("cross_heads", kMaxLayerWidth) : 0,
                      .head_dim = size("head_dim", kMaxLayerWidth),
                      .ffn = size("ffn", kMaxLayerWidth * 4)};
    for (const int heads : {shape.self_heads, shape.cross_heads}) {
      if (static_cast<std::int64_t>(heads) * shape.head_dim > kMaxLayerWidth) {
        fields.fail(key, element,
                    "heads times head_dim of at most " + std::to_string(kMaxLayerWidth));
      }
    }
    layers.push_back(shape);
  }
  return layers;
}

ordered_json layers_json(const std::vector<LayerConfig>& layers) {
  ordered_json list = ordered_json::array();
  for (const LayerConfig& layer : layers) {
    ordered_json shape = {{"self_heads", layer.self_heads}};
    if (layer.cross_heads > 0) shape["cross_heads"] = layer.cross_heads;
    shape["head_dim"] = layer.head_dim;
    shape["ffn"] = layer.ffn;
    list.push_back(std::move(shape));
  }
  return list;
}

}  // namespace

KoboltField parse_kobolt_field(const json& config, const std::string& file) {
  KoboltField field;
  const JsonFields outer(config, file);
  const json* own = outer.find("kobolt");
  if (own == nullptr) return field;
  if (!own->is_object()) outer.fail("kobolt", *own, "an object");
  const JsonFields fields(*own, file);
  field.pruning.permanent = fields.boolean("permanently_pruned", false);
  field.pruning.removed_params =
      fields.integer("removed_params", 0, 0, std::numeric_limits<std::int64_t>::max() / 4);
  if (const json* steps = fields.find("steps"); steps != nullptr) {
    if (!steps->is_array()) fields.fail("steps", *steps, "a list of texts");
    for (const json& step : *steps) {
      if (!step.is_string()) fields.fail("steps", step, "a list of texts");
      field.steps.push_back(step.get<std::string>());
    }
  }
  field.encoder_layers = parse_layers(fields, "encoder_layers", false);
  field.decoder_layers = parse_layers(fields, "decoder_layers", true);
  return field;
}

ordered_json to_json(const KoboltField& field) {
  ordered_json json;
  if (!field.steps.empty()) json["steps"] = field.steps;
  if (field.pruning.permanent) json["permanently_pruned"] = true;
  if (field.pruning.removed_params > 0) json["removed_params"] = field.pruning.removed_params;
  if (!field.encoder_layers.empty()) json["encoder_layers"] = layers_json(field.encoder_layers);
  if (!field.decoder_layers.empty()) json["decoder_layers"] = layers_json(field.decoder_layers);
  return json;
}

}  // namespace kobolt
