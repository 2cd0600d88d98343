#pragma once

#include <filesystem>
#include <map>
#include <string>

#include "kobolt/tensor.h"

namespace kobolt {

/// What a checkpoint folder's weight files hold, before anything is known of the model.
struct StoredWeights {
  std::map<std::string, Tensor> tensors;  ///< by the names in the files
  std::string file;                       ///< the file, or the index of the shards, for errors
};

/// Reads the first there is of model.safetensors, model.safetensors.index.json, pytorch_model.bin
/// and pytorch_model.bin.index.json: the order in which transformers looks. Weights stay mapped.
/// Throws Error; not_found naming `folder` where there is none of them.
StoredWeights read_weights(const std::filesystem::path& folder);

/// Whether the folder has one of these files.
bool has_weights(const std::filesystem::path& folder);

}  // namespace kobolt
