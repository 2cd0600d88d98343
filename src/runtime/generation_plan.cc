#include "runtime/generation_plan.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "kobolt/error.h"

namespace kobolt {
namespace {

constexpr int kDefaultNewTokens = 20;
constexpr int kStartLength = 1;  // the decoder start token

[[noreturn]] void reject(std::string_view setting, std::string found, std::string expected,
                         std::string hint = {}) {
  throw Error(ErrorKind::invalid_argument, "generation cannot work with this setting",
              {.field = std::string(setting),
               .found = std::move(found),
               .expected = std::move(expected),
               .hint = std::move(hint)});
}

void need_at_least(std::string_view setting, int value, int least) {
  if (value < least) reject(setting, fmt::to_string(value), fmt::format("{} or more", least));
}

void need_positive(std::string_view setting, double value) {
  if (!(value > 0) || !std::isfinite(value)) {
    reject(setting, fmt::to_string(value), "a number above 0");
  }
}

void need_token(std::string_view setting, std::int32_t token, int vocab_size) {
  if (token < 0 || token >= vocab_size) {
    reject(setting, fmt::to_string(token),
           fmt::format("a token of the model, 0 to {}", vocab_size - 1));
  }
}

void need_tokens(std::string_view setting, std::span<const std::int32_t> tokens, int vocab_size) {
  for (const std::int32_t token : tokens) need_token(setting, token, vocab_size);
}

int with_start(int new_tokens) {
  return new_tokens < std::numeric_limits<int>::max() ? new_tokens + kStartLength : new_tokens;
}

int resolve_max_length(const GenerationConfig& config, int max_positions) {
  if (config.max_new_tokens) {
    need_at_least("max_new_tokens", *config.max_new_tokens, 1);
    return with_start(*config.max_new_tokens);
  }
  if (config.max_length) {
    if (*config.max_length <= kStartLength) {
      reject("max_length", fmt::to_string(*config.max_length), "2 or more",
             "it counts the decoder start token; max_new_tokens does not");
    }
    return *config.max_length;
  }
  return std::max(2, std::min(with_start(kDefaultNewTokens), max_positions));
}

int resolve_min_length(const GenerationConfig& config) {
  need_at_least("min_length", config.min_length, 0);
  if (!config.min_new_tokens) return config.min_length;
  need_at_least("min_new_tokens", *config.min_new_tokens, 0);
  return with_start(*config.min_new_tokens);
}

std::int32_t resolve_start_token(const GenerationConfig& config, int vocab_size) {
  const std::optional<std::int32_t> token =
      config.decoder_start_token_id ? config.decoder_start_token_id : config.bos_token_id;
  if (!token) {
    reject("decoder_start_token_id", "nothing", "a token id",
           "set decoder_start_token_id or bos_token_id");
  }
  need_token(config.decoder_start_token_id ? "decoder_start_token_id" : "bos_token_id", *token,
             vocab_size);
  return *token;
}

std::vector<std::vector<std::int32_t>> resolve_bad_words(const GenerationConfig& config,
                                                         int vocab_size) {
  std::vector<std::vector<std::int32_t>> words;
  for (const auto& word : config.bad_words_ids) {
    need_tokens("bad_words_ids", word, vocab_size);
    const bool only_eos = word.size() == 1 && std::ranges::count(config.eos_token_id, word[0]) > 0;
    // A summary must be able to end, so transformers too passes over an eos listed here.
    if (!word.empty() && !only_eos) words.push_back(word);
  }
  return words;
}

// Forcing a token that is also suppressed would leave nothing to choose from.
void check_forced(std::string_view setting, std::span<const std::int32_t> forced,
                  const GenerationConfig& config, int vocab_size) {
  need_tokens(setting, forced, vocab_size);
  const bool all_suppressed = std::ranges::all_of(forced, [&](std::int32_t token) {
    return std::ranges::count(config.suppress_tokens, token) > 0;
  });
  if (!forced.empty() && all_suppressed) {
    reject(setting, fmt::format("{}", fmt::join(forced, ", ")),
           "a token that suppress_tokens does not forbid",
           "to prevent an early end use min_new_tokens instead");
  }
}

void check_search(const GenerationConfig& config) {
  need_at_least("num_beams", config.num_beams, 1);
  need_at_least("num_return_sequences", config.num_return_sequences, 1);
  if (config.num_return_sequences > config.num_beams &&
      (config.num_beams > 1 || !config.do_sample)) {
    reject("num_return_sequences", fmt::to_string(config.num_return_sequences),
           fmt::format("no more than num_beams, {}", config.num_beams),
           "raise num_beams, or sample with num_beams 1");
  }
  if (!std::isfinite(config.length_penalty)) {
    reject("length_penalty", fmt::to_string(config.length_penalty), "a finite number");
  }
  need_positive("repetition_penalty", config.repetition_penalty);
  need_positive("encoder_repetition_penalty", config.encoder_repetition_penalty);
  need_at_least("no_repeat_ngram_size", config.no_repeat_ngram_size, 0);
  need_at_least("encoder_no_repeat_ngram_size", config.encoder_no_repeat_ngram_size, 0);
  if (config.do_sample) {
    need_positive("temperature", config.temperature);
    need_at_least("top_k", config.top_k, 0);
    if (!(config.top_p >= 0 && config.top_p <= 1)) {
      reject("top_p", fmt::to_string(config.top_p), "a number from 0 to 1");
    }
  }
}

}  // namespace

bool GenerationPlan::is_eos(std::int32_t token) const {
  return std::ranges::find(eos, token) != eos.end();
}

GenerationPlan make_generation_plan(const GenerationConfig& config, int vocab_size,
                                    int max_positions) {
  check_search(config);
  GenerationPlan plan;
  plan.vocab_size = vocab_size;
  plan.num_beams = config.num_beams;
  plan.num_return_sequences = config.num_return_sequences;
  plan.width = std::max(config.num_beams, config.num_return_sequences);
  plan.sample = config.do_sample;

  plan.longest_length = resolve_max_length(config, max_positions);
  // The last token of a sequence is never fed back, so it needs no position.
  plan.max_length = std::min(plan.longest_length, with_start(max_positions));
  plan.min_length = resolve_min_length(config);
  plan.start_token = resolve_start_token(config, vocab_size);
  plan.eos = config.eos_token_id;
  if (config.forced_bos_token_id) plan.forced_bos = {*config.forced_bos_token_id};
  plan.forced_eos = config.forced_eos_token_id;
  check_forced("forced_bos_token_id", plan.forced_bos, config, vocab_size);
  check_forced("forced_eos_token_id", plan.forced_eos, config, vocab_size);

  plan.length_penalty = config.length_penalty;
  plan.early_stopping = config.early_stopping;
  const int kept_per_beam = std::max(2, 1 + static_cast<int>(plan.eos.size()));
  plan.beams_to_keep = kept_per_beam * plan.num_beams;

  plan.repetition_penalty = static_cast<float>(config.repetition_penalty);
  plan.encoder_repetition_penalty = static_cast<float>(1 / config.encoder_repetition_penalty);
  plan.no_repeat_ngram_size = config.no_repeat_ngram_size;
  plan.encoder_no_repeat_ngram_size = config.encoder_no_repeat_ngram_size;
  plan.bad_words = resolve_bad_words(config, vocab_size);
  plan.suppress = config.suppress_tokens;
  plan.begin_suppress = config.begin_suppress_tokens;
  plan.begin_length = plan.forced_bos.empty() ? kStartLength : kStartLength + 1;

  if (plan.sample) {
    plan.temperature = static_cast<float>(config.temperature);
    plan.top_k = config.top_k;
    plan.top_p = config.top_p;
    // Beam search must be left with something that is not the end.
    plan.min_candidates = plan.num_beams > 1 ? static_cast<int>(plan.eos.size()) + 1 : 1;
    if (plan.num_beams > 1 && plan.eos.empty()) plan.min_candidates = 2;
    plan.seed = config.seed;
  }
  return plan;
}

}  // namespace kobolt
