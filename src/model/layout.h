#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "kobolt/model.h"

namespace kobolt {

/// Which part of a model a tensor belongs to, for reports.
enum class ModelPart : std::uint8_t { embeddings, encoder, decoder, output };

/// One tensor that a model of some ModelConfig has.
struct TensorSpec {
  std::string name;
  std::vector<std::int64_t> shape;
  ModelPart part = ModelPart::encoder;
  bool required = true;
};

/// All tensors of a model, in the order of computation: the one list that loading, pruning and
/// compiling share. Linear weights are [out, in]. Optional are only `final_logits_bias` and, for
/// sinusoidal positions, `model.{encoder,decoder}.embed_positions.weight` [max_positions, d_model],
/// which a model has where its checkpoint's table is not the formula's.
std::vector<TensorSpec> expected_tensors(const ModelConfig& config);

}  // namespace kobolt
