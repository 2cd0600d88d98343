#include "cli/generation_flags.h"

#include <algorithm>
#include <limits>

namespace kobolt::cli {
namespace {

using TokenLists = std::vector<std::vector<std::int32_t>>;

constexpr int kMost = std::numeric_limits<std::int32_t>::max();

EarlyStopping early_stopping_from(const std::string& name) {
  if (name == "true") return EarlyStopping::yes;
  return name == "never" ? EarlyStopping::never : EarlyStopping::no;
}

// "[[12], [7, 8]]"; nothing for anything else.
std::optional<TokenLists> parse_token_lists(const std::string& text) {
  const Json json = Json::parse(text, nullptr, false);
  if (!json.is_array()) return std::nullopt;
  TokenLists lists;
  for (const Json& item : json) {
    if (!item.is_array()) return std::nullopt;
    auto& list = lists.emplace_back();
    for (const Json& id : item) {
      if (!id.is_number_integer() || id < 0 || id > kMost) return std::nullopt;
      list.push_back(id.get<std::int32_t>());
    }
  }
  return lists;
}

template <typename Target, typename Value>
void assign(Target& target, const std::optional<Value>& value) {
  if (value) target = *value;
}

template <typename Value>
Json or_null(const std::optional<Value>& value) {
  return value ? Json(*value) : Json(nullptr);
}

}  // namespace

void GenerationFlags::add(CLI::App& command) {
  const char* lengths = "Length (default: the checkpoint's)";
  const CLI::Range count(0, kMost);
  const CLI::Range positive(1, kMost);
  command.add_option("--max-new-tokens", max_new_tokens_, "Most tokens to generate")
      ->check(positive)
      ->group(lengths);
  command.add_option("--min-new-tokens", min_new_tokens_, "Fewest tokens to generate")
      ->check(count)
      ->group(lengths);
  command
      .add_option("--max-length", max_length_,
                  "As --max-new-tokens, the start token counted; gives way to it")
      ->check(positive)
      ->group(lengths);
  command.add_option("--min-length", min_length_, "As --min-new-tokens, the start token counted")
      ->check(count)
      ->group(lengths);

  const char* search = "Search (default: the checkpoint's)";
  command.add_option("--num-beams,--beams", num_beams_, "Beams; 1 = greedy")
      ->check(positive)
      ->group(search);
  command
      .add_option("--num-return-sequences", num_return_sequences_,
                  "Summaries a document, best first")
      ->check(positive)
      ->group(search);
  command
      .add_option("--length-penalty", length_penalty_,
                  "Exponent of the length that divides a beam's score; above 0 favours long ones")
      ->group(search);
  command
      .add_option("--early-stopping", early_stopping_,
                  "Stop at num-beams finished beams (true), when better ones are unlikely (false), "
                  "or when they are impossible (never)")
      ->check(CLI::IsMember({"true", "false", "never"}))
      ->group(search);
  command
      .add_option("--repetition-penalty", repetition_penalty_,
                  "Above 1 makes words already written less likely")
      ->group(search);
  command
      .add_option("--no-repeat-ngram-size", no_repeat_ngram_size_,
                  "No n-gram of this size twice; 0 = off")
      ->check(count)
      ->group(search);
  command
      .add_option("--encoder-repetition-penalty", encoder_repetition_penalty_,
                  "Above 1 makes words of the document more likely")
      ->group(search);
  command
      .add_option("--encoder-no-repeat-ngram-size", encoder_no_repeat_ngram_size_,
                  "No n-gram of this size from the document; 0 = off")
      ->check(count)
      ->group(search);

  const char* sampling = "Sampling";
  command
      .add_flag("--do-sample,!--no-do-sample", do_sample_, "Draw tokens instead of taking the best")
      ->group(sampling);
  command.add_option("--temperature", temperature_, "Below 1 sharpens, above 1 flattens")
      ->group(sampling);
  command.add_option("--top-k", top_k_, "Draw from the k best tokens; 0 = from all")
      ->check(count)
      ->group(sampling);
  command
      .add_option("--top-p", top_p_, "Draw from the fewest best tokens of this total probability")
      ->check(CLI::Range(0.0, 1.0))
      ->group(sampling);
  command.add_option("--seed", seed_, "Of the draws: the same seed, the same summaries")
      ->group(sampling);

  const char* tokens = "Tokens (default: the checkpoint's)";
  command
      .add_option("--bad-words-ids", bad_words_ids_,
                  "Token sequences never to write, as JSON: [[12],[7,8]]")
      ->check(CLI::Validator(
          [](const std::string& text) {
            return parse_token_lists(text) ? std::string()
                                           : "'" + text + "' is not a JSON list of lists of ids";
          },
          "JSON"))
      ->group(tokens);
  const auto id_list = [&](const char* name, std::optional<std::vector<std::int32_t>>& target,
                           const char* text) {
    command.add_option(name, target, text)->delimiter(',')->check(count)->group(tokens);
  };
  const auto id = [&](const char* name, std::optional<std::int32_t>& target, const char* text) {
    command.add_option(name, target, text)->check(count)->group(tokens);
  };
  id_list("--suppress-tokens", suppress_tokens_, "Ids never to write, with commas between");
  id_list("--begin-suppress-tokens", begin_suppress_tokens_, "Ids never to begin with");
  id("--decoder-start-token-id", decoder_start_token_id_, "What the decoder starts from");
  id("--forced-bos-token-id", forced_bos_token_id_, "The first token, whatever its score");
  id_list("--forced-eos-token-id", forced_eos_token_id_, "The last token at the greatest length");
  id_list("--eos-token-id", eos_token_id_, "Ids that end a summary");
}

GenerationConfig GenerationFlags::apply(const GenerationConfig& checkpoint) const {
  GenerationConfig config = checkpoint;
  assign(config.max_length, max_length_);
  // A length on the command line must not lose against the checkpoint's other way of saying it.
  if (max_length_ && !max_new_tokens_) config.max_new_tokens.reset();
  if (min_length_ && !min_new_tokens_) config.min_new_tokens.reset();
  assign(config.max_new_tokens, max_new_tokens_);
  assign(config.min_length, min_length_);
  assign(config.min_new_tokens, min_new_tokens_);
  assign(config.num_beams, num_beams_);
  assign(config.num_return_sequences, num_return_sequences_);
  assign(config.length_penalty, length_penalty_);
  if (early_stopping_) config.early_stopping = early_stopping_from(*early_stopping_);
  assign(config.repetition_penalty, repetition_penalty_);
  assign(config.encoder_repetition_penalty, encoder_repetition_penalty_);
  assign(config.no_repeat_ngram_size, no_repeat_ngram_size_);
  assign(config.encoder_no_repeat_ngram_size, encoder_no_repeat_ngram_size_);
  if (bad_words_ids_)
    config.bad_words_ids = parse_token_lists(*bad_words_ids_).value_or(TokenLists());
  assign(config.suppress_tokens, suppress_tokens_);
  assign(config.begin_suppress_tokens, begin_suppress_tokens_);
  assign(config.do_sample, do_sample_);
  assign(config.temperature, temperature_);
  assign(config.top_k, top_k_);
  assign(config.top_p, top_p_);
  assign(config.seed, seed_);
  assign(config.decoder_start_token_id, decoder_start_token_id_);
  assign(config.forced_bos_token_id, forced_bos_token_id_);
  assign(config.forced_eos_token_id, forced_eos_token_id_);
  assign(config.eos_token_id, eos_token_id_);
  return config;
}

Json to_json(const GenerationConfig& config) {
  Json early = config.early_stopping == EarlyStopping::never
                   ? Json("never")
                   : Json(config.early_stopping == EarlyStopping::yes);
  return {{"max_length", or_null(config.max_length)},
          {"max_new_tokens", or_null(config.max_new_tokens)},
          {"min_length", config.min_length},
          {"min_new_tokens", or_null(config.min_new_tokens)},
          {"num_beams", config.num_beams},
          {"num_return_sequences", config.num_return_sequences},
          {"length_penalty", config.length_penalty},
          {"early_stopping", std::move(early)},
          {"repetition_penalty", config.repetition_penalty},
          {"no_repeat_ngram_size", config.no_repeat_ngram_size},
          {"encoder_repetition_penalty", config.encoder_repetition_penalty},
          {"encoder_no_repeat_ngram_size", config.encoder_no_repeat_ngram_size},
          {"bad_words_ids", config.bad_words_ids},
          {"suppress_tokens", config.suppress_tokens},
          {"begin_suppress_tokens", config.begin_suppress_tokens},
          {"do_sample", config.do_sample},
          {"temperature", config.temperature},
          {"top_k", config.top_k},
          {"top_p", config.top_p},
          {"seed", config.seed},
          {"bos_token_id", or_null(config.bos_token_id)},
          {"pad_token_id", or_null(config.pad_token_id)},
          {"eos_token_id", config.eos_token_id},
          {"decoder_start_token_id", or_null(config.decoder_start_token_id)},
          {"forced_bos_token_id", or_null(config.forced_bos_token_id)},
          {"forced_eos_token_id", config.forced_eos_token_id}};
}

}  // namespace kobolt::cli
