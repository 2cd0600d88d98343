#include "gradient/loss_gradient.h"

#include <fmt/format.h>

#include <utility>

#include "kobolt/error.h"

namespace kobolt {
namespace {

using Ids = std::vector<std::int32_t>;

/// Sequences one after another.
struct Batch {
  std::vector<TokenEmbedding::Token> tokens;
  std::vector<int> starts = {0};

  void append(const Ids& ids) {
    for (std::size_t i = 0; i < ids.size(); ++i) {
      tokens.push_back({ids[i], static_cast<std::int32_t>(i)});
    }
    starts.push_back(static_cast<int>(tokens.size()));
  }
};

void check_sequence(const Ids& ids, int vocabulary, int positions, const char* what) {
  if (ids.empty() || std::cmp_greater(ids.size(), positions)) {
    throw Error(ErrorKind::invalid_argument, "a sequence of this length has no gradient",
                {.field = what,
                 .found = fmt::format("{} tokens", ids.size()),
                 .expected = fmt::format("1 to {}", positions)});
  }
  for (const std::int32_t id : ids) {
    if (id >= 0 && id < vocabulary) continue;
    throw Error(ErrorKind::invalid_argument, "a token id outside of the vocabulary",
                {.field = what,
                 .found = std::to_string(id),
                 .expected = fmt::format("0 to {}", vocabulary - 1)});
  }
}

OutputLoss output_of(const ModelConfig& config, const Stack& decoder, Parameters& parameters) {
  const MatrixParameter table =
      config.tied_output ? decoder.embedding().table() : parameters.matrix("lm_head.weight");
  std::vector<float> bias;
  if (parameters.has("final_logits_bias")) bias = parameters.vector("final_logits_bias");
  return {table, bias};
}

}  // namespace

LossGradient::LossGradient(const Model& model, const std::vector<std::string>& tensors,
                           ThreadPool& pool)
    : config_(model.config),
      parameters_(model, tensors),
      blocks_(model.config, pool),
      encoder_(model.config, "encoder", parameters_),
      decoder_(model.config, "decoder", parameters_),
      output_(output_of(model.config, decoder_, parameters_)) {}

void LossGradient::check(const TrainingSample& sample) const {
  const int positions = config_.max_positions;
  check_sequence(sample.document, config_.encoder_vocab_size, positions, "document");
  check_sequence(sample.decoder_input, config_.vocab_size, positions, "decoder input");
  check_sequence(sample.labels, config_.vocab_size, positions, "labels");
  if (sample.labels.size() != sample.decoder_input.size()) {
    throw Error(ErrorKind::invalid_argument, "every decoder input needs its label",
                {.field = "labels",
                 .found = std::to_string(sample.labels.size()),
                 .expected = std::to_string(sample.decoder_input.size())});
  }
}

void LossGradient::add(std::span<const TrainingSample> samples) {
  Batch documents;
  Batch summaries;
  Ids labels;
  for (const TrainingSample& sample : samples) {
    check(sample);
    documents.append(sample.document);
    summaries.append(sample.decoder_input);
    labels.insert(labels.end(), sample.labels.begin(), sample.labels.end());
  }
  if (samples.empty()) return;
  tokens_ += static_cast<std::int64_t>(labels.size());

  Stack::Tape encoder_tape;
  Stack::Tape decoder_tape;
  const Stack::Context reading{.starts = documents.starts};
  const Matrix memory = encoder_.forward(documents.tokens, reading, blocks_, encoder_tape);
  const Stack::Context writing{
      .starts = summaries.starts, .memory = &memory, .memory_starts = documents.starts};
  const Matrix hidden = decoder_.forward(summaries.tokens, writing, blocks_, decoder_tape);

  const bool backward = parameters_.wants_gradients();
  Matrix dhidden;
  sum_ += output_.run(hidden, labels, blocks_.products(), backward ? &dhidden : nullptr);
  if (!backward) return;
  Matrix dmemory = zeros(memory.rows, memory.columns);
  decoder_.backward(writing, decoder_tape, blocks_, dhidden, &dmemory);
  encoder_.backward(reading, encoder_tape, blocks_, dmemory, nullptr);
}

double LossGradient::loss() const { return sum_ / static_cast<double>(tokens_); }

WeightGradients LossGradient::take_gradients() {
  WeightGradients gradients = std::move(parameters_.gradients());
  const float share = tokens_ == 0 ? 0.0F : static_cast<float>(1.0 / static_cast<double>(tokens_));
  for (auto& [name, values] : gradients) {
    for (float& value : values) value *= share;
  }
  return gradients;
}

}  // namespace kobolt
