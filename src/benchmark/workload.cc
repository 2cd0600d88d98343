#include "benchmark/workload.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <utility>

#include "kobolt/error.h"

namespace kobolt {
namespace {

void check_range(const char* option, int value, int least, int most) {
  if (value < least || value > most) {
    throw Error(ErrorKind::invalid_argument, "out of range",
                {.field = option,
                 .found = std::to_string(value),
                 .expected = fmt::format("{} to {}", least, most)});
  }
}

void check_positive(const char* option, double value) {
  if (std::isfinite(value) && value >= 0) return;
  throw Error(
      ErrorKind::invalid_argument, "out of range",
      {.field = option, .found = fmt::format("{}", value), .expected = "a number, 0 or more"});
}

// Ids that are no special tokens: those would end or mark a sequence.
std::vector<std::vector<std::int32_t>> random_documents(const Summarizer& summarizer,
                                                        const BenchmarkOptions& options) {
  const GenerationConfig& generation = summarizer.generation();
  std::vector<std::int32_t> special = generation.eos_token_id;
  for (const auto& id :
       {generation.bos_token_id, generation.pad_token_id, generation.decoder_start_token_id}) {
    if (id) special.push_back(*id);
  }
  std::mt19937_64 random(options.seed);
  const auto vocabulary = static_cast<std::uint64_t>(summarizer.config().encoder_vocab_size);
  std::vector<std::vector<std::int32_t>> documents(static_cast<std::size_t>(options.batch));
  for (auto& document : documents) {
    while (std::cmp_less(document.size(), options.sequence)) {
      const auto id = static_cast<std::int32_t>(random() % vocabulary);
      if (vocabulary <= special.size() || !std::ranges::count(special, id)) document.push_back(id);
    }
  }
  return documents;
}

// The checkpoint's settings, but for what decides how much work there is: the beams, and that
// exactly new_tokens are generated. The end may come as the last token only.
GenerationConfig exact_length(const Summarizer& summarizer, const BenchmarkOptions& options) {
  GenerationConfig generation = summarizer.generation();
  generation.num_beams = options.beams;
  generation.num_return_sequences = 1;
  generation.do_sample = false;
  generation.max_new_tokens = options.new_tokens;
  generation.min_new_tokens = options.new_tokens - 1;
  generation.early_stopping = EarlyStopping::yes;
  return generation;
}

}  // namespace

void check_budget(const BenchmarkOptions& options) {
  check_range("batch", options.batch, 1, 1 << 16);
  check_range("iterations", options.iterations, 1, 1 << 30);
  check_range("warmup", options.warmup, 0, 1 << 30);
  check_positive("seconds", options.seconds);
  check_positive("rate", options.rate);
}

SummarizerWorkload::SummarizerWorkload(Summarizer& summarizer, const BenchmarkOptions& options,
                                       const Clock& clock)
    : summarizer_(summarizer), options_(options), clock_(clock) {
  check_budget(options);
  if (options.documents.empty()) {
    const int positions = summarizer.config().max_positions;
    check_range("sequence", options.sequence, 1, positions);
    check_range("beams", options.beams, 1, summarizer.config().vocab_size);
    check_range("new tokens", options.new_tokens, 1, positions - 1);
    ids_ = random_documents(summarizer, options);
    settings_.generation = exact_length(summarizer, options);
  } else if (options.encoder_only) {
    throw Error(ErrorKind::invalid_argument, "the encoder alone is measured on random documents",
                {.field = "documents"});
  } else {
    settings_.generation = options.generation.value_or(summarizer.generation());
  }
  // A batch is decoded together, however many beams that makes.
  settings_.max_rows = std::max(1, options.batch * settings_.generation.num_beams);
  settings_.on_step = [this] {
    if (++outcome_.steps == 1) outcome_.first_token = clock_.now();
  };
}

BatchOutcome SummarizerWorkload::run(std::size_t first, std::size_t count) {
  outcome_ = {.documents = count};
  return options_.documents.empty() ? run_ids(first, count) : run_texts(first, count);
}

BatchOutcome SummarizerWorkload::run_texts(std::size_t first, std::size_t count) {
  std::vector<std::string> batch;
  for (std::size_t i = 0; i < count; ++i) {
    batch.push_back(options_.documents[(first + i) % options_.documents.size()]);
  }
  for (const Summary& summary : summarizer_.summarize(batch, settings_)) {
    outcome_.tokens += summary.tokens.size();
  }
  return outcome_;
}

BatchOutcome SummarizerWorkload::run_ids(std::size_t first, std::size_t count) {
  std::vector<std::vector<std::int32_t>> batch;
  for (std::size_t i = 0; i < count; ++i) batch.push_back(ids_[(first + i) % ids_.size()]);
  if (options_.encoder_only) {
    const auto d = static_cast<std::size_t>(summarizer_.config().d_model);
    for (const auto& hidden : summarizer_.encode(batch)) outcome_.tokens += hidden.size() / d;
    return outcome_;
  }
  for (const Summary& summary : summarizer_.generate(batch, settings_)) {
    outcome_.tokens += summary.tokens.size();
  }
  return outcome_;
}

}  // namespace kobolt
