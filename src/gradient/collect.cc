#include <algorithm>
#include <cstddef>
#include <utility>

#include "gradient/labels.h"
#include "gradient/loss_gradient.h"
#include "kobolt/error.h"
#include "kobolt/gradient.h"
#include "model/pattern.h"
#include "runtime/long_document.h"

namespace kobolt {
namespace {

// Tokens of one pass, documents and summaries together: enough rows for products to run at full
// speed, few enough that what is kept of them stays below the model itself.
constexpr std::size_t kTokensPerPass = 2048;

std::string weight_of(const Model& model, const std::string& layer) {
  for (const auto& [name, tensor] : model.tensors) {
    if (name.ends_with(".weight") && module_of(name) == layer) return name;
  }
  throw Error(ErrorKind::invalid_argument, "the model has no such layer",
              {.file = model.provenance.source, .field = layer});
}

std::vector<TrainingSample> samples_of(const Model& model, std::span<const SummaryPair> pairs) {
  const ModelConfig& config = model.config;
  const Tokenizer documents = Tokenizer::load(model.tokenizer, config.family);
  const Tokenizer summaries =
      Tokenizer::load(summary_tokenizer_files(model.tokenizer, config.family), config.family);
  std::vector<TrainingSample> samples;
  for (const SummaryPair& pair : pairs) {
    EncodedDocuments encoded = encode_documents(documents, std::span(&pair.document, 1),
                                                config.max_positions, LongDocument::truncate);
    if (encoded.parts.empty()) continue;
    TrainingSample& sample = samples.emplace_back();
    sample.document = std::move(encoded.parts.front());
    sample.labels =
        summary_labels(summaries.encode(pair.summary, {.max_length = config.max_positions}), model);
    sample.decoder_input = shift_right(sample.labels, model);
  }
  if (samples.empty()) {
    throw Error(
        ErrorKind::invalid_argument, "there is nothing to calibrate with",
        {.found = std::to_string(pairs.size()) + " documents with a summary, none with any token"});
  }
  return samples;
}

std::size_t tokens_of(const TrainingSample& sample) {
  return sample.document.size() + sample.labels.size();
}

}  // namespace

WeightGradients collect_weight_gradients(const Model& model, std::span<const SummaryPair> pairs,
                                         const std::vector<std::string>& layers,
                                         const CalibrationOptions& options) {
  std::vector<std::string> tensors;
  tensors.reserve(layers.size());
  for (const std::string& layer : layers) tensors.push_back(weight_of(model, layer));
  const std::vector<TrainingSample> samples = samples_of(model, pairs);
  ThreadPool pool(options.threads);
  LossGradient gradient(model, tensors, pool);
  for (std::size_t begin = 0; begin < samples.size();) {
    std::size_t end = begin;
    std::size_t tokens = 0;
    while (end < samples.size() &&
           (end == begin || tokens + tokens_of(samples[end]) <= kTokensPerPass)) {
      tokens += tokens_of(samples[end++]);
    }
    gradient.add(std::span(samples).subspan(begin, end - begin));
    begin = end;
    if (options.progress) options.progress({.done = end, .total = samples.size()});
  }
  return gradient.take_gradients();
}

}  // namespace kobolt
