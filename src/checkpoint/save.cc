#include <map>
#include <string>
#include <utility>

#include "base/folder.h"
#include "checkpoint/config.h"
#include "checkpoint/describe.h"
#include "checkpoint/embedding_names.h"
#include "checkpoint/json_patch.h"
#include "checkpoint/mask_pairs.h"
#include "checkpoint/safetensors.h"
#include "checkpoint/settings_files.h"
#include "kobolt/error.h"
#include "kobolt/model.h"

namespace kobolt {
namespace {

const char* torch_name(DType dtype) {
  switch (dtype) {
    case DType::f32:
      return "float32";
    case DType::f16:
      return "float16";
    case DType::bf16:
      return "bfloat16";
    default:
      throw Error(ErrorKind::invalid_argument, "a checkpoint cannot be saved in this number format",
                  {.found = std::string(name_of(dtype)), .expected = "F32, F16 or BF16"});
  }
}

/// Names in the file and, for each, the name of the model's tensor.
using Stored = std::map<std::string, std::string>;

// Embeddings that are one matrix here are stored under each name under which transformers looks
// for them: it shares only what the configuration calls shared.
Stored names_to_store(const Model& model, const ModelConfig& claims) {
  Stored stored;
  for (const auto& [name, tensor] : model.tensors) stored.emplace(name, name);
  const auto present = [&](const char* own, const char* other) {
    return model.tensors.contains(own) ? own : other;
  };
  const std::string encoder = present(kEncoderEmbedding, kSharedEmbedding);
  const std::string decoder = present(kDecoderEmbedding, kSharedEmbedding);
  const std::string output = model.config.tied_output ? decoder : kOutputProjection;
  if (!claims.tied_output) {
    stored.insert_or_assign(kOutputProjection, output);
    stored.insert_or_assign(kEncoderEmbedding, encoder);
    stored.insert_or_assign(kDecoderEmbedding, decoder);
    if (claims.shared_embedding) stored.emplace(kSharedEmbedding, decoder);
  }
  if (!claims.shared_embedding) {
    stored.insert_or_assign(kEncoderEmbedding, encoder);
    stored.insert_or_assign(kDecoderEmbedding, decoder);
    stored.erase(kSharedEmbedding);
  }
  return stored;
}

std::map<std::string, TensorSource> sources_of(const Model& model, const Stored& stored,
                                               DType dtype, MaskStorage masks) {
  std::map<std::string, TensorSource> sources;
  for (const auto& [name, ours] : stored) {
    const Tensor& tensor = model.tensor(ours);
    const auto mask = model.masks.find(ours);
    if (masks == MaskStorage::pairs && mask != model.masks.end()) {
      sources[name + "_orig"] = {dtype, tensor.shape, [&tensor] { return tensor; }};
      sources[name + "_mask"] = {DType::boolean, tensor.shape,
                                 [mask] { return mask_tensor(mask->second); }};
    } else {
      sources[name] = {dtype, tensor.shape,
                       [&model, ours = ours] { return model.effective_tensor(ours); }};
    }
  }
  return sources;
}

}  // namespace

void save_checkpoint(const Model& model, const std::filesystem::path& folder, DType dtype,
                     MaskStorage masks) {
  const char* dtype_name = torch_name(dtype);
  check_shapes(model);
  const std::string file = (folder / "config.json").string();
  std::string config = described_config(model, file, masks);
  const ModelConfig claims = parse_model_config(config, file);
  make_folder(folder);
  write_safetensors(folder / "model.safetensors",
                    sources_of(model, names_to_store(model, claims), dtype, masks));
  for (const char* key : {"dtype", "torch_dtype"}) {
    config = replace_string_field(config, key, dtype_name);
  }
  write_settings(model, folder, config);
}

}  // namespace kobolt
