#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "kobolt/evaluate.h"
#include "kobolt/model.h"

namespace kobolt::cli {

/// A layer that was taken out and what the model scored without it and those before it.
struct DroppedLayer {
  std::string name;  ///< in the model as it was: "decoder.layers.3"
  double rouge_l = 0;
};

/// Takes layers out one at a time until `encoder_layers` and `decoder_layers` are left, each time
/// the one without which the model scores best (ROUGE-L of its summaries of `data`, which needs
/// references; engines of int8). `progress(done, total)` counts trials. Throws Error.
std::vector<DroppedLayer> drop_by_importance(
    Model& model, int encoder_layers, int decoder_layers, std::span<const Example> data,
    int threads, const std::function<void(std::size_t, std::size_t)>& progress);

}  // namespace kobolt::cli
