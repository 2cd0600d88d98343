#pragma once

#include <array>
#include <limits>
#include <string_view>

#include "kobolt/compile.h"
#include "kobolt/model.h"

namespace kobolt {

/// Names of an enum's values, in order, as they stand in the file.
template <typename Enum>
struct EnumNames;
template <>
struct EnumNames<Precision> {
  static constexpr std::array<std::string_view, 5> value = {"fp32", "fp16", "bf16", "int8", "int4"};
};
template <>
struct EnumNames<Family> {
  static constexpr std::array<std::string_view, 4> value = {"bart", "mbart", "marian", "pegasus"};
};
template <>
struct EnumNames<Activation> {
  static constexpr std::array<std::string_view, 6> value = {"none", "gelu", "gelu_new",
                                                            "relu", "silu", "tanh"};
};
template <>
struct EnumNames<Positions> {
  static constexpr std::array<std::string_view, 2> value = {"learned_offset2", "sinusoidal"};
};
template <>
struct EnumNames<EarlyStopping> {
  static constexpr std::array<std::string_view, 3> value = {"false", "true", "never"};
};

/// Limits that keep every later product of two sizes inside 63 bits, and far beyond real models.
inline constexpr int kMaxVocabulary = 1 << 24;
inline constexpr int kMaxWidth = 1 << 20;
inline constexpr int kMaxHeads = 1 << 12;

// One list of fields for the writer and the reader: visit(name, member[, least, most]).

template <typename Layer, typename Visitor>
void visit_layer(Layer& layer, Visitor&& visit) {
  visit("self_heads", layer.self_heads, 0, kMaxHeads);
  visit("cross_heads", layer.cross_heads, 0, kMaxHeads);
  visit("head_dim", layer.head_dim, 1, kMaxHeads);
  visit("ffn", layer.ffn, 0, kMaxWidth);
}

template <typename Config, typename Visitor>
void visit_config(Config& config, Visitor&& visit) {
  visit("family", config.family);
  visit("vocab_size", config.vocab_size, 1, kMaxVocabulary);
  visit("encoder_vocab_size", config.encoder_vocab_size, 1, kMaxVocabulary);
  visit("d_model", config.d_model, 1, kMaxWidth);
  visit("max_positions", config.max_positions, 1, kMaxVocabulary);
  visit("activation", config.activation);
  visit("positions", config.positions);
  visit("scale_embedding", config.scale_embedding);
  visit("pre_norm", config.pre_norm);
  visit("embedding_norm", config.embedding_norm);
  visit("final_norm", config.final_norm);
  visit("tied_output", config.tied_output);
  visit("shared_embedding", config.shared_embedding);
  visit("layer_norm_epsilon", config.layer_norm_epsilon, 0.0F, 1.0F);
}

template <typename Generation, typename Visitor>
void visit_generation(Generation& generation, Visitor&& visit) {
  constexpr int kMost = std::numeric_limits<std::int32_t>::max();
  visit("max_length", generation.max_length, 0, kMost);
  visit("max_new_tokens", generation.max_new_tokens, 0, kMost);
  visit("min_length", generation.min_length, 0, kMost);
  visit("min_new_tokens", generation.min_new_tokens, 0, kMost);
  visit("num_beams", generation.num_beams, 1, kMaxHeads);
  visit("num_return_sequences", generation.num_return_sequences, 1, kMaxHeads);
  visit("length_penalty", generation.length_penalty);
  visit("early_stopping", generation.early_stopping);
  visit("repetition_penalty", generation.repetition_penalty);
  visit("no_repeat_ngram_size", generation.no_repeat_ngram_size, 0, kMost);
  visit("encoder_no_repeat_ngram_size", generation.encoder_no_repeat_ngram_size, 0, kMost);
  visit("encoder_repetition_penalty", generation.encoder_repetition_penalty);
  visit("bad_words_ids", generation.bad_words_ids);
  visit("suppress_tokens", generation.suppress_tokens);
  visit("begin_suppress_tokens", generation.begin_suppress_tokens);
  visit("do_sample", generation.do_sample);
  visit("temperature", generation.temperature);
  visit("top_k", generation.top_k, 0, kMost);
  visit("top_p", generation.top_p);
  visit("seed", generation.seed);
  visit("bos_token_id", generation.bos_token_id, 0, kMost);
  visit("pad_token_id", generation.pad_token_id, 0, kMost);
  visit("eos_token_id", generation.eos_token_id);
  visit("decoder_start_token_id", generation.decoder_start_token_id, 0, kMost);
  visit("forced_bos_token_id", generation.forced_bos_token_id, 0, kMost);
  visit("forced_eos_token_id", generation.forced_eos_token_id);
}

template <typename P, typename Visitor>
void visit_provenance(P& provenance, Visitor&& visit) {
  visit("source", provenance.source);
  visit("source_hash", provenance.source_hash);
  visit("steps", provenance.steps);
  visit("tool_version", provenance.tool_version);
}

}  // namespace kobolt
