#pragma once

#include <map>
#include <string>

#include "checkpoint/weights.h"
#include "kobolt/model.h"

namespace kobolt {

/// Brings stored weights to the names documented at struct Model: adds the "model." prefix that
/// checkpoints of the bare model lack, drops what transformers ignores, resolves which embeddings
/// are tied (by comparing what is stored, as transformers 5 does) and records it in `config`.
/// Then checks every tensor against the layout. Throws one Error that names all that is missing,
/// left over or of another shape or number format.
std::map<std::string, Tensor> canonical_tensors(const StoredWeights& stored, ModelConfig& config);

}  // namespace kobolt
