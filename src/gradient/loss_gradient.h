#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "gradient/blocks.h"
#include "gradient/output.h"
#include "gradient/parameters.h"
#include "gradient/stack.h"
#include "kobolt/prune.h"

namespace kobolt {

/// A document and the summary that the model should write, as token ids.
struct TrainingSample {
  std::vector<std::int32_t> document;
  std::vector<std::int32_t> decoder_input;
  std::vector<std::int32_t> labels;  ///< one for each decoder input: the token after it
};

/// The loss of a model, the mean cross-entropy of the labels over all tokens of all samples, and
/// its derivatives by weights, by reverse differentiation in float. As in evaluation: without
/// dropout and label smoothing, masks applied. Samples lie one after another in the same matrices,
/// so that padding does not exist. Not thread-safe.
class LossGradient {
 public:
  /// `tensors`: of which the gradient is wanted: linear layers, embeddings, the output projection,
  /// positions that are a tensor; none = only the loss. `model` and `pool` outlive this. Throws
  /// Error(not_found, invalid_argument) for a tensor that is no matrix of the model.
  LossGradient(const Model& model, const std::vector<std::string>& tensors, ThreadPool& pool);

  /// Runs the samples forward and back together: memory grows with their tokens, up to a thousand
  /// or so of which make products faster. Throws Error(invalid_argument) for a sample that is
  /// empty, too long, of unequal lengths or has an id outside of the vocabulary.
  void add(std::span<const TrainingSample> samples);

  /// Label tokens so far.
  [[nodiscard]] std::int64_t tokens() const { return tokens_; }
  /// Over all samples so far. NaN before the first.
  [[nodiscard]] double loss() const;
  /// Its gradient by each of the tensors, row-major; the object is then used up.
  [[nodiscard]] WeightGradients take_gradients();

 private:
  void check(const TrainingSample& sample) const;

  const ModelConfig& config_;
  Parameters parameters_;
  Blocks blocks_;
  Stack encoder_;
  Stack decoder_;
  OutputLoss output_;
  double sum_ = 0;
  std::int64_t tokens_ = 0;
};

}  // namespace kobolt
