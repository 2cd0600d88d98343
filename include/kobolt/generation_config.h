#pragma once

#include <cstdint>
#include <optional>
#include <vector>

namespace kobolt {

/// When beam search stops: as in transformers, `true`, `false` or "never".
enum class EarlyStopping : std::uint8_t { no, yes, never };

/// Generation settings, with the names and meanings of transformers' GenerationConfig. A loaded
/// model carries those of its checkpoint: generation_config.json wins over config.json.
struct GenerationConfig {
  // Lengths count decoder tokens; max_length and min_length include the start token,
  // max_new_tokens and min_new_tokens do not and win over the former. With neither maximum set, 20
  // tokens are generated. Decoding ends in any case where the model's positions end.
  std::optional<int> max_length;
  std::optional<int> max_new_tokens;
  int min_length = 0;
  std::optional<int> min_new_tokens;

  int num_beams = 1;
  int num_return_sequences = 1;
  double length_penalty = 1.0;
  EarlyStopping early_stopping = EarlyStopping::no;

  double repetition_penalty = 1.0;
  int no_repeat_ngram_size = 0;
  int encoder_no_repeat_ngram_size = 0;
  double encoder_repetition_penalty = 1.0;
  std::vector<std::vector<std::int32_t>> bad_words_ids;
  std::vector<std::int32_t> suppress_tokens;
  std::vector<std::int32_t> begin_suppress_tokens;

  bool do_sample = false;
  double temperature = 1.0;
  int top_k = 50;      ///< 0 = off; used when do_sample
  double top_p = 1.0;  ///< 1 = off; used when do_sample
  std::uint64_t seed = 0;

  std::optional<std::int32_t> bos_token_id;
  std::optional<std::int32_t> pad_token_id;
  std::vector<std::int32_t> eos_token_id;  ///< any of these ends a sequence
  std::optional<std::int32_t> decoder_start_token_id;
  std::optional<std::int32_t> forced_bos_token_id;
  std::vector<std::int32_t> forced_eos_token_id;  ///< forced at the last position
};

}  // namespace kobolt
