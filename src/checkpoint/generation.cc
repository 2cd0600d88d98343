#include "checkpoint/generation.h"

#include <array>
#include <cstdint>
#include <limits>
#include <optional>
#include <vector>

#include "checkpoint/json_fields.h"

namespace kobolt {
namespace {

using nlohmann::json;

constexpr std::int64_t kMaxInt = std::numeric_limits<std::int32_t>::max();
constexpr std::int64_t kMinInt = std::numeric_limits<std::int32_t>::min();

std::optional<std::int32_t> token_of(const JsonFields& fields, const char* key) {
  const auto value = fields.integer(key, kMinInt, kMaxInt);
  if (!value) return std::nullopt;
  return static_cast<std::int32_t>(*value);
}

std::int32_t token_in(const JsonFields& fields, const char* key, const json& value) {
  const bool fits = value.is_number_integer() && value >= kMinInt && value <= kMaxInt;
  if (!fits) fields.fail(key, value, "token ids");
  return value.get<std::int32_t>();
}

/// One id, or a list of ids.
std::vector<std::int32_t> tokens_of(const JsonFields& fields, const char* key) {
  const json* value = fields.find(key);
  if (value == nullptr) return {};
  if (!value->is_array()) return {token_in(fields, key, *value)};
  std::vector<std::int32_t> tokens;
  for (const json& item : *value) tokens.push_back(token_in(fields, key, item));
  return tokens;
}

std::vector<std::vector<std::int32_t>> phrases_of(const JsonFields& fields, const char* key) {
  const json* value = fields.find(key);
  if (value == nullptr) return {};
  std::vector<std::vector<std::int32_t>> phrases;
  if (!value->is_array()) fields.fail(key, *value, "a list of lists of token ids");
  for (const json& phrase : *value) {
    if (!phrase.is_array() || phrase.empty()) {
      fields.fail(key, phrase, "lists of token ids, none of them empty");
    }
    auto& tokens = phrases.emplace_back();
    for (const json& item : phrase) tokens.push_back(token_in(fields, key, item));
  }
  return phrases;
}

EarlyStopping early_stopping_of(const JsonFields& fields) {
  const char* key = "early_stopping";
  const json* value = fields.find(key);
  if (value == nullptr) return EarlyStopping::no;
  if (*value == "never") return EarlyStopping::never;
  // Python takes 0 and 1 for false and true.
  if (*value == json(true) || *value == json(1)) return EarlyStopping::yes;
  if (*value == json(false) || *value == json(0)) return EarlyStopping::no;
  fields.fail(key, *value, "true, false or \"never\"");
}

// Settings that would change the result and that generation does not have: running without them
// would quietly give other summaries than transformers.
void refuse_other_strategies(const JsonFields& fields, bool do_sample) {
  struct Setting {
    const char* key;
    json neutral;
    bool sampling_only;
  };
  static const std::array kSettings{
      Setting{"num_beam_groups", 1, false},
      Setting{"diversity_penalty", 0.0, false},
      Setting{"penalty_alpha", 0.0, false},
      Setting{"constraints", json::array(), false},
      Setting{"force_words_ids", json::array(), false},
      Setting{"dola_layers", nullptr, false},
      Setting{"exponential_decay_length_penalty", nullptr, false},
      Setting{"sequence_bias", nullptr, false},
      Setting{"renormalize_logits", false, false},
      Setting{"guidance_scale", 1, false},
      Setting{"watermarking_config", nullptr, false},
      Setting{"stop_strings", nullptr, false},
      Setting{"prompt_lookup_num_tokens", nullptr, false},
      Setting{"min_p", 0.0, true},
      Setting{"top_h", nullptr, true},
      Setting{"typical_p", 1.0, true},
      Setting{"epsilon_cutoff", 0.0, true},
      Setting{"eta_cutoff", 0.0, true},
  };
  for (const Setting& setting : kSettings) {
    const json* value = fields.find(setting.key);
    if (value == nullptr || *value == setting.neutral || (setting.sampling_only && !do_sample)) {
      continue;
    }
    fields.fail(setting.key, *value,
                "a checkpoint without this setting, which is not supported: remove it to generate "
                "without",
                ErrorKind::unsupported);
  }
}

GenerationConfig read_settings(const JsonFields& fields) {
  GenerationConfig config;
  const auto count = [&](const char* key, int fallback, int low) {
    return static_cast<int>(fields.integer(key, fallback, low, kMaxInt));
  };
  const auto optional_count = [&](const char* key, int low) -> std::optional<int> {
    const auto value = fields.integer(key, low, kMaxInt);
    return value ? std::optional<int>(static_cast<int>(*value)) : std::nullopt;
  };

  config.max_length = optional_count("max_length", 0);
  config.max_new_tokens = optional_count("max_new_tokens", 1);
  config.min_length = count("min_length", config.min_length, 0);
  config.min_new_tokens = optional_count("min_new_tokens", 0);

  config.num_beams = count("num_beams", config.num_beams, 1);
  config.num_return_sequences = count("num_return_sequences", config.num_return_sequences, 1);
  config.length_penalty = fields.number("length_penalty", config.length_penalty);
  config.early_stopping = early_stopping_of(fields);

  config.repetition_penalty = fields.number("repetition_penalty", config.repetition_penalty);
  config.no_repeat_ngram_size = count("no_repeat_ngram_size", config.no_repeat_ngram_size, 0);
  config.encoder_no_repeat_ngram_size =
      count("encoder_no_repeat_ngram_size", config.encoder_no_repeat_ngram_size, 0);
  config.encoder_repetition_penalty =
      fields.number("encoder_repetition_penalty", config.encoder_repetition_penalty);
  config.bad_words_ids = phrases_of(fields, "bad_words_ids");
  config.suppress_tokens = tokens_of(fields, "suppress_tokens");
  config.begin_suppress_tokens = tokens_of(fields, "begin_suppress_tokens");

  config.do_sample = fields.boolean("do_sample", config.do_sample);
  config.temperature = fields.number("temperature", config.temperature);
  config.top_k = count("top_k", config.top_k, 0);
  config.top_p = fields.number("top_p", config.top_p);

  config.bos_token_id = token_of(fields, "bos_token_id");
  config.pad_token_id = token_of(fields, "pad_token_id");
  config.eos_token_id = tokens_of(fields, "eos_token_id");
  config.decoder_start_token_id = token_of(fields, "decoder_start_token_id");
  config.forced_bos_token_id = token_of(fields, "forced_bos_token_id");
  config.forced_eos_token_id = tokens_of(fields, "forced_eos_token_id");

  refuse_other_strategies(fields, config.do_sample);
  return config;
}

// The name of forced_bos_token_id before it could be any token.
void apply_legacy_forced_bos(const JsonFields& fields, GenerationConfig& config) {
  if (fields.boolean("force_bos_token_to_be_generated", false)) {
    config.forced_bos_token_id = config.bos_token_id;
  }
}

}  // namespace

GenerationConfig parse_generation_config(std::string_view text, const std::string& file) {
  const json parsed = parse_json_object(text, file);
  const JsonFields fields(parsed, file);
  GenerationConfig config = read_settings(fields);
  if (fields.boolean("_from_model_config", false)) apply_legacy_forced_bos(fields, config);
  return config;
}

GenerationConfig generation_from_model_config(std::string_view text, const std::string& file) {
  const json parsed = parse_json_object(text, file);
  const JsonFields fields(parsed, file);
  GenerationConfig config = read_settings(fields);
  apply_legacy_forced_bos(fields, config);
  return config;
}

}  // namespace kobolt
