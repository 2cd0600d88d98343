#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "cli/output.h"
#include "kobolt/generation_config.h"

namespace kobolt::cli {

/// The settings of transformers' GenerationConfig as options with dashes, the same in every command
/// that generates. What is not given comes from the checkpoint.
class GenerationFlags {
 public:
  void add(CLI::App& command);
  /// `checkpoint` with what was given on top.
  [[nodiscard]] GenerationConfig apply(const GenerationConfig& checkpoint) const;

 private:
  std::optional<int> max_length_;
  std::optional<int> max_new_tokens_;
  std::optional<int> min_length_;
  std::optional<int> min_new_tokens_;
  std::optional<int> num_beams_;
  std::optional<int> num_return_sequences_;
  std::optional<double> length_penalty_;
  std::optional<std::string> early_stopping_;
  std::optional<double> repetition_penalty_;
  std::optional<double> encoder_repetition_penalty_;
  std::optional<int> no_repeat_ngram_size_;
  std::optional<int> encoder_no_repeat_ngram_size_;
  std::optional<std::string> bad_words_ids_;
  std::optional<std::vector<std::int32_t>> suppress_tokens_;
  std::optional<std::vector<std::int32_t>> begin_suppress_tokens_;
  std::optional<bool> do_sample_;
  std::optional<double> temperature_;
  std::optional<int> top_k_;
  std::optional<double> top_p_;
  std::optional<std::uint64_t> seed_;
  std::optional<std::int32_t> decoder_start_token_id_;
  std::optional<std::int32_t> forced_bos_token_id_;
  std::optional<std::vector<std::int32_t>> forced_eos_token_id_;
  std::optional<std::vector<std::int32_t>> eos_token_id_;
};

/// Every setting under the name that transformers gives it; what is unset is null.
Json to_json(const GenerationConfig& config);

}  // namespace kobolt::cli
