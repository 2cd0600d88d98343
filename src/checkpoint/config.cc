#include "checkpoint/config.h"

#include <array>
#include <utility>

#include "checkpoint/json_fields.h"
#include "checkpoint/kobolt_field.h"

namespace kobolt {
namespace {

using nlohmann::json;

// Generous bounds that keep every product of sizes far inside 64 bits.
constexpr std::int64_t kMaxVocabulary = 1 << 24;
constexpr std::int64_t kMaxWidth = 1 << 16;
constexpr std::int64_t kMaxLayers = 1024;
constexpr std::int64_t kMaxPositions = 1 << 20;

/// What is fixed for a family, whatever config.json says.
struct FamilyTraits {
  Family family;
  int default_vocabulary;
  Positions positions;
  bool pre_norm;
  bool embedding_norm;
  bool final_norm;
};

constexpr std::array kFamilies{
    FamilyTraits{Family::bart, 50265, Positions::learned_offset2, false, true, false},
    FamilyTraits{Family::mbart, 50265, Positions::learned_offset2, true, true, true},
    FamilyTraits{Family::marian, 58101, Positions::sinusoidal, false, false, false},
    FamilyTraits{Family::pegasus, 50265, Positions::sinusoidal, true, false, true},
};

std::string supported_families() {
  std::string names;
  for (const FamilyTraits& traits : kFamilies) {
    if (!names.empty()) names += ", ";
    names += name_of(traits.family);
  }
  return names;
}

const FamilyTraits& family_traits(const JsonFields& fields) {
  const std::string model_type = fields.text("model_type", "");
  for (const FamilyTraits& traits : kFamilies) {
    if (name_of(traits.family) == model_type) return traits;
  }
  const bool missing = model_type.empty();
  throw Error(ErrorKind::unsupported,
              missing ? "config.json does not say what kind of model this is"
                      : "models of this type are not supported",
              {.file = fields.file(),
               .field = "model_type",
               .found = missing ? "nothing" : "\"" + model_type + "\"",
               .expected = "one of " + supported_families()});
}

// Fields of the time when one BART class computed every family. transformers reads them no more;
// a file that contradicts its family was trained with other arithmetic than would be computed now.
void refuse_contradictions(const JsonFields& fields, const FamilyTraits& traits) {
  const std::array<std::pair<const char*, bool>, 6> meanings{{
      {"normalize_before", traits.pre_norm},
      {"add_final_layer_norm", traits.final_norm},
      {"normalize_embedding", traits.embedding_norm},
      {"static_position_embeddings", traits.positions == Positions::sinusoidal},
      {"do_blenderbot_90_layernorm", false},
      {"add_bias_logits", false},
  }};
  for (const auto& [key, computed] : meanings) {
    const json* value = fields.find(key);
    if (value == nullptr || (value->is_boolean() && value->get<bool>() == computed)) continue;
    const std::string family(name_of(traits.family));
    fields.fail(
        key, *value,
        (computed ? "true" : "false") + (", what every model of type " + family) + " computes",
        ErrorKind::unsupported);
  }
}

Activation activation_of(const JsonFields& fields) {
  struct Name {
    const char* name;
    Activation activation;
  };
  static constexpr std::array kNames{
      Name{"gelu", Activation::gelu},
      Name{"gelu_new", Activation::gelu_new},
      Name{"gelu_pytorch_tanh", Activation::gelu_new},
      Name{"relu", Activation::relu},
      Name{"silu", Activation::silu},
      Name{"swish", Activation::silu},
      Name{"tanh", Activation::tanh},
  };
  const char* key = "activation_function";
  const std::string name = fields.text(key, "gelu");
  std::string known;
  for (const Name& candidate : kNames) {
    if (name == candidate.name) return candidate.activation;
    if (!known.empty()) known += ", ";
    known += candidate.name;
  }
  fields.fail(key, name, "one of " + known, ErrorKind::unsupported);
}

// `alias` is the name that all of transformers' configurations share; where both are there it is
// applied last and so wins.
int size_field(const JsonFields& fields, const char* key, const char* alias, int fallback,
               std::int64_t high) {
  const std::int64_t own = fields.integer(key, fallback, 1, high);
  return static_cast<int>(alias == nullptr ? own : fields.integer(alias, own, 1, high));
}

std::vector<LayerConfig> layers_of(const JsonFields& fields, bool decoder, int d_model) {
  const char* heads_key = decoder ? "decoder_attention_heads" : "encoder_attention_heads";
  const int heads =
      size_field(fields, heads_key, decoder ? nullptr : "num_attention_heads", 16, kMaxWidth);
  if (d_model % heads != 0) {
    fields.fail(heads_key, heads, "a divisor of d_model, " + std::to_string(d_model));
  }
  const int count = size_field(fields, decoder ? "decoder_layers" : "encoder_layers",
                               decoder ? nullptr : "num_hidden_layers", 12, kMaxLayers);
  const int ffn = size_field(fields, decoder ? "decoder_ffn_dim" : "encoder_ffn_dim", nullptr, 4096,
                             kMaxWidth * 4);
  const LayerConfig layer{.self_heads = heads,
                          .cross_heads = decoder ? heads : 0,
                          .head_dim = d_model / heads,
                          .ffn = ffn};
  return std::vector<LayerConfig>(static_cast<std::size_t>(count), layer);
}

// Layers that are not all of one shape, which transformers cannot express.
void take_own_shapes(const JsonFields& fields, const std::vector<LayerConfig>& own,
                     std::vector<LayerConfig>& layers) {
  if (own.empty()) return;
  if (own.size() != layers.size()) {
    fields.fail("kobolt", own.size(),
                std::to_string(layers.size()) + " layers, as the other fields");
  }
  layers = own;
}

}  // namespace

ModelConfig parse_model_config(std::string_view text, const std::string& file) {
  const json parsed = parse_json_object(text, file);
  const JsonFields fields(parsed, file);
  const FamilyTraits& traits = family_traits(fields);
  refuse_contradictions(fields, traits);
  if (const json* per_layer = fields.find("per_layer_config");
      per_layer != nullptr && !per_layer->empty()) {
    fields.fail("per_layer_config", *per_layer, "no such field", ErrorKind::unsupported);
  }

  ModelConfig config;
  config.family = traits.family;
  config.positions = traits.positions;
  config.pre_norm = traits.pre_norm;
  config.embedding_norm = traits.embedding_norm;
  config.final_norm = traits.final_norm;
  config.activation = activation_of(fields);
  config.d_model = size_field(fields, "d_model", "hidden_size", 1024, kMaxWidth);
  config.max_positions =
      size_field(fields, "max_position_embeddings", nullptr, 1024, kMaxPositions);
  config.encoder_layers = layers_of(fields, false, config.d_model);
  config.decoder_layers = layers_of(fields, true, config.d_model);
  const KoboltField shapes = parse_kobolt_field(parsed, file);
  take_own_shapes(fields, shapes.encoder_layers, config.encoder_layers);
  take_own_shapes(fields, shapes.decoder_layers, config.decoder_layers);
  config.scale_embedding = fields.boolean("scale_embedding", false);
  config.tied_output = fields.boolean("tie_word_embeddings", true);

  config.vocab_size =
      size_field(fields, "vocab_size", nullptr, traits.default_vocabulary, kMaxVocabulary);
  config.encoder_vocab_size = config.vocab_size;
  if (traits.family == Family::marian) {
    config.shared_embedding = fields.boolean("share_encoder_decoder_embeddings", true);
    if (!config.shared_embedding) {
      // 0 counts as not given.
      const std::int64_t own = fields.integer("decoder_vocab_size", 0, 0, kMaxVocabulary);
      if (own > 0) config.vocab_size = static_cast<int>(own);
    }
  }
  return config;
}

}  // namespace kobolt
