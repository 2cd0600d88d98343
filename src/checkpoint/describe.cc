#include "checkpoint/describe.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "checkpoint/config.h"
#include "checkpoint/json_fields.h"
#include "checkpoint/kobolt_field.h"
#include "kobolt/error.h"

namespace kobolt {
namespace {

using nlohmann::ordered_json;

bool is_expressible(const std::vector<LayerConfig>& layers, int d_model) {
  return std::ranges::all_of(layers, [&](const LayerConfig& layer) {
    return layer == layers.front() && layer.self_heads * layer.head_dim == d_model &&
           (layer.cross_heads == 0 || layer.cross_heads == layer.self_heads);
  });
}

// `alias` is the name that all of transformers' configurations share; where it is there it wins.
void set(ordered_json& config, const std::string& key, const char* alias, int value) {
  config[key] = value;
  if (alias != nullptr && config.contains(alias)) config[alias] = value;
}

std::vector<LayerConfig> describe_side(ordered_json& config, const std::string& side,
                                       const std::vector<LayerConfig>& layers, int d_model) {
  const bool encoder = side == "encoder";
  set(config, side + "_layers", encoder ? "num_hidden_layers" : nullptr,
      static_cast<int>(layers.size()));
  if (!is_expressible(layers, d_model)) return layers;
  set(config, side + "_attention_heads", encoder ? "num_attention_heads" : nullptr,
      layers.front().self_heads);
  set(config, side + "_ffn_dim", nullptr, layers.front().ffn);
  return {};
}

bool same_but_for_ties(ModelConfig claims, const ModelConfig& config) {
  claims.tied_output = config.tied_output;
  claims.shared_embedding = config.shared_embedding;
  return claims == config;
}

}  // namespace

std::string described_config(const Model& model, const std::string& file, MaskStorage masks) {
  const ModelConfig claims = parse_model_config(model.raw_config, file);
  const KoboltField old = parse_kobolt_field(parse_json_object(model.raw_config, file), file);
  const ModelConfig& config = model.config;
  PruningRecord record = model.pruning;
  record.permanent |= masks == MaskStorage::applied && !model.masks.empty();
  const bool same_record = old.pruning == record && old.steps == model.provenance.steps;
  if (same_but_for_ties(claims, config) && same_record) return model.raw_config;

  ordered_json json = ordered_json::parse(model.raw_config);
  KoboltField field{.pruning = record, .steps = model.provenance.steps};
  field.encoder_layers = describe_side(json, "encoder", config.encoder_layers, config.d_model);
  field.decoder_layers = describe_side(json, "decoder", config.decoder_layers, config.d_model);
  json["vocab_size"] = claims.shared_embedding ? config.vocab_size : config.encoder_vocab_size;
  if (json.contains("decoder_vocab_size")) json["decoder_vocab_size"] = config.vocab_size;
  json.erase("kobolt");
  if (ordered_json own = to_json(field); !own.empty()) json["kobolt"] = std::move(own);
  std::string text = json.dump(2) + "\n";
  if (!same_but_for_ties(parse_model_config(text, file), config)) {
    throw Error(ErrorKind::unsupported,
                "the model no longer has the shapes that its config.json describes",
                {.file = file});
  }
  return text;
}

}  // namespace kobolt
