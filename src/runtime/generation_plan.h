#pragma once

#include <cstdint>
#include <vector>

#include "kobolt/generation_config.h"

namespace kobolt {

/// GenerationConfig checked and made definite for one model: what transformers' generate() derives
/// from its settings before the first step. Lengths count decoder tokens, start token included.
struct GenerationPlan {
  int vocab_size = 0;
  int num_beams = 1;
  int num_return_sequences = 1;
  int width = 1;  ///< sequences that one document carries: beams, or samples
  bool sample = false;

  int max_length = 0;  ///< a sequence of this length ends; fits the model's positions
  /// What "never" takes as the longest length: the setting before the positions cut it.
  int longest_length = 0;
  int min_length = 0;  ///< shorter sequences may not end
  std::int32_t start_token = 0;
  std::vector<std::int32_t> eos;         ///< may be empty: only max_length ends a sequence
  std::vector<std::int32_t> forced_bos;  ///< empty or one token
  std::vector<std::int32_t> forced_eos;

  double length_penalty = 1;
  EarlyStopping early_stopping = EarlyStopping::no;
  int beams_to_keep = 0;  ///< best continuations looked at in each step of beam search

  float repetition_penalty = 1;
  float encoder_repetition_penalty = 1;  ///< already inverted: below 1 favours document tokens
  int no_repeat_ngram_size = 0;
  int encoder_no_repeat_ngram_size = 0;
  std::vector<std::vector<std::int32_t>> bad_words;
  std::vector<std::int32_t> suppress;
  std::vector<std::int32_t> begin_suppress;
  int begin_length = 1;  ///< length at which begin_suppress applies

  float temperature = 1;
  int top_k = 0;  ///< 0 = off
  double top_p = 1;
  int min_candidates = 1;  ///< that top_k and top_p leave
  std::uint64_t seed = 0;

  [[nodiscard]] bool is_eos(std::int32_t token) const;
};

/// Throws Error(invalid_argument) naming the setting, what was found and what was expected.
GenerationPlan make_generation_plan(const GenerationConfig& config, int vocab_size,
                                    int max_positions);

}  // namespace kobolt
