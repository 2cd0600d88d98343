#include <map>
#include <string>
#include <system_error>
#include <utility>

#include "base/atomic_file.h"
#include "checkpoint/config.h"
#include "checkpoint/json_patch.h"
#include "checkpoint/safetensors.h"
#include "kobolt/error.h"
#include "kobolt/model.h"

namespace kobolt {
namespace {

constexpr const char* kShared = "model.shared.weight";
constexpr const char* kEncoder = "model.encoder.embed_tokens.weight";
constexpr const char* kDecoder = "model.decoder.embed_tokens.weight";
constexpr const char* kOutput = "lm_head.weight";

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

// config.json is kept as it is, so it has to describe the model still.
ModelConfig claims_of(const Model& model, const std::filesystem::path& folder) {
  const std::string file = (folder / "config.json").string();
  ModelConfig claims = parse_model_config(model.raw_config, file);
  ModelConfig comparable = claims;
  comparable.tied_output = model.config.tied_output;
  comparable.shared_embedding = model.config.shared_embedding;
  if (!(comparable == model.config)) {
    throw Error(ErrorKind::unsupported,
                "the model no longer has the shapes that its config.json describes",
                {.file = file});
  }
  return claims;
}

// Embeddings that are one matrix here are stored under each name under which transformers looks
// for them: it shares only what the configuration calls shared.
std::map<std::string, Tensor> tensors_to_store(const Model& model, const ModelConfig& claims) {
  std::map<std::string, Tensor> tensors = model.tensors;
  const auto matrix = [&](const char* own, const char* other) {
    return model.tensor(model.tensors.contains(own) ? own : other);
  };
  const Tensor encoder = matrix(kEncoder, kShared);
  const Tensor decoder = matrix(kDecoder, kShared);
  const Tensor output = model.config.tied_output ? decoder : model.tensor(kOutput);
  if (!claims.tied_output) {
    tensors.insert_or_assign(kOutput, output);
    tensors.insert_or_assign(kEncoder, encoder);
    tensors.insert_or_assign(kDecoder, decoder);
    if (claims.shared_embedding) tensors.emplace(kShared, decoder);
  }
  if (!claims.shared_embedding) {
    tensors.insert_or_assign(kEncoder, encoder);
    tensors.insert_or_assign(kDecoder, decoder);
    tensors.erase(kShared);
  }
  return tensors;
}

}  // namespace

void save_checkpoint(const Model& model, const std::filesystem::path& folder, DType dtype) {
  const char* dtype_name = torch_name(dtype);
  const ModelConfig claims = claims_of(model, folder);
  std::error_code failure;
  std::filesystem::create_directories(folder, failure);
  if (failure) {
    throw Error(ErrorKind::io, "cannot create the folder: " + failure.message(),
                {.file = folder.string()});
  }
  write_safetensors(folder / "model.safetensors", tensors_to_store(model, claims), dtype);
  std::string config = model.raw_config;
  for (const char* key : {"dtype", "torch_dtype"}) {
    config = replace_string_field(config, key, dtype_name);
  }
  write_file(folder / "config.json", config);
  if (!model.raw_generation_config.empty()) {
    write_file(folder / "generation_config.json", model.raw_generation_config);
  }
  for (const auto& [name, content] : model.tokenizer) write_file(folder / name, content);
}

}  // namespace kobolt
