#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <vector>

#include "kobolt/generation_config.h"

namespace kobolt {

/// Sets what the golden scripts pass to transformers' generate(); throws for a name that is
/// not known here, so that no golden case is compared with half of its settings.
inline void overlay_settings(GenerationConfig& config, const nlohmann::json& json) {
  const auto ids = [](const nlohmann::json& value) {
    return value.is_array() ? value.get<std::vector<std::int32_t>>()
                            : std::vector<std::int32_t>{value.get<std::int32_t>()};
  };
  for (const auto& [name, value] : json.items()) {
    if (name == "max_length") {
      config.max_length = value;
    } else if (name == "max_new_tokens") {
      config.max_new_tokens = value;
    } else if (name == "min_length") {
      config.min_length = value;
    } else if (name == "min_new_tokens") {
      config.min_new_tokens = value;
    } else if (name == "num_beams") {
      config.num_beams = value;
    } else if (name == "num_return_sequences") {
      config.num_return_sequences = value;
    } else if (name == "length_penalty") {
      config.length_penalty = value;
    } else if (name == "early_stopping") {
      config.early_stopping = value == "never" ? EarlyStopping::never
                              : value == true  ? EarlyStopping::yes
                                               : EarlyStopping::no;
    } else if (name == "repetition_penalty") {
      config.repetition_penalty = value;
    } else if (name == "encoder_repetition_penalty") {
      config.encoder_repetition_penalty = value;
    } else if (name == "no_repeat_ngram_size") {
      config.no_repeat_ngram_size = value;
    } else if (name == "encoder_no_repeat_ngram_size") {
      config.encoder_no_repeat_ngram_size = value;
    } else if (name == "bad_words_ids") {
      config.bad_words_ids = value;
    } else if (name == "suppress_tokens") {
      config.suppress_tokens = ids(value);
    } else if (name == "begin_suppress_tokens") {
      config.begin_suppress_tokens = ids(value);
    } else if (name == "bos_token_id") {
      config.bos_token_id = value.get<std::int32_t>();
    } else if (name == "pad_token_id") {
      config.pad_token_id = value.get<std::int32_t>();
    } else if (name == "eos_token_id") {
      config.eos_token_id = ids(value);
    } else if (name == "decoder_start_token_id") {
      config.decoder_start_token_id = value.get<std::int32_t>();
    } else if (name == "forced_bos_token_id") {
      config.forced_bos_token_id = value.get<std::int32_t>();
    } else if (name == "forced_eos_token_id") {
      config.forced_eos_token_id = ids(value);
    } else {
      throw std::invalid_argument("unknown setting in a golden file: " + name);
    }
  }
}

/// The same over transformers' defaults.
inline GenerationConfig settings_from_json(const nlohmann::json& json) {
  GenerationConfig config;
  overlay_settings(config, json);
  return config;
}

}  // namespace kobolt
