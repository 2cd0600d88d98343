#include <fmt/format.h>

#include <array>
#include <filesystem>
#include <span>
#include <string>
#include <system_error>
#include <vector>

#include "base/hash.h"
#include "base/mapped_file.h"
#include "base/presence.h"
#include "checkpoint/canonical.h"
#include "checkpoint/config.h"
#include "checkpoint/generation.h"
#include "checkpoint/json_fields.h"
#include "checkpoint/kobolt_field.h"
#include "checkpoint/load_settings.h"
#include "checkpoint/mask_pairs.h"
#include "checkpoint/weights.h"
#include "kobolt/error.h"
#include "kobolt/model.h"
#include "kobolt/version.h"

namespace kobolt {
namespace {

constexpr std::array kTokenizerFiles{
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.json",
    "target_vocab.json",
    "merges.txt",
    "vocab.txt",
    "source.spm",
    "target.spm",
    "sentencepiece.bpe.model",
    "spiece.model",
    "tokenizer.model",
};

TokenizerFiles read_tokenizer_files(const std::filesystem::path& folder) {
  TokenizerFiles files;
  for (const char* name : kTokenizerFiles) {
    const std::filesystem::path path = folder / name;
    if (may_exist(path)) files.emplace(name, read_text_file(path));
  }
  return files;
}

// Over names, formats, shapes and values, so that the same weights have the same hash in every
// container.
std::string hash_of(const Model& model) {
  const std::map<std::string, Tensor>& tensors = model.tensors;
  std::vector<std::string> labels;
  labels.reserve(tensors.size() + model.masks.size());
  std::vector<std::span<const std::byte>> pieces;
  for (const auto& [name, tensor] : tensors) {
    labels.push_back(
        fmt::format("{} {} {}\n", name, name_of(tensor.dtype), fmt::join(tensor.shape, " ")));
    pieces.push_back(std::as_bytes(std::span<const char>(labels.back())));
    pieces.push_back(tensor.bytes);
  }
  for (const auto& [name, mask] : model.masks) {
    labels.push_back(name + " mask\n");
    pieces.push_back(std::as_bytes(std::span<const char>(labels.back())));
    pieces.push_back(std::as_bytes(mask.words()));
  }
  return hash128_hex(pieces);
}

// Masks under the names of the model's tensors: with the "model." prefix, and for an embedding that
// is stored more than once under the one that stayed.
std::map<std::string, Mask> canonical_masks(std::map<std::string, Mask>&& stored,
                                            const Model& model, const std::string& file) {
  std::map<std::string, Mask> masks;
  for (auto& [name, mask] : stored) {
    std::string ours = model.tensors.contains("model." + name) ? "model." + name : name;
    if (!model.tensors.contains(ours)) {
      const bool decoder = model.tensors.contains("model.decoder.embed_tokens.weight");
      ours = decoder ? "model.decoder.embed_tokens.weight" : "model.shared.weight";
    }
    const auto [placed, added] = masks.try_emplace(ours, std::move(mask));
    if (!added && placed->second != mask) {
      throw Error(ErrorKind::unsupported, "one embedding under two names has different masks",
                  {.file = file, .field = name});
    }
  }
  return masks;
}

void require_folder(const std::filesystem::path& folder) {
  std::error_code failure;
  if (std::filesystem::is_directory(folder, failure)) return;
  const bool exists = may_exist(folder);
  throw Error(exists ? ErrorKind::invalid_argument : ErrorKind::not_found,
              exists ? "not a checkpoint folder" : "no such folder",
              {.file = folder.string(),
               .expected = "a folder with config.json, weights and tokenizer files"});
}

}  // namespace

Model load_settings(const std::filesystem::path& folder) {
  require_folder(folder);
  Model model;
  const std::filesystem::path config_path = folder / "config.json";
  model.raw_config = read_text_file(config_path);
  model.config = parse_model_config(model.raw_config, config_path.string());

  const std::filesystem::path generation_path = folder / "generation_config.json";
  if (may_exist(generation_path)) {
    model.raw_generation_config = read_text_file(generation_path);
    model.generation =
        parse_generation_config(model.raw_generation_config, generation_path.string());
  } else {
    model.generation = generation_from_model_config(model.raw_config, config_path.string());
  }

  model.tokenizer = read_tokenizer_files(folder);
  KoboltField own = parse_kobolt_field(parse_json_object(model.raw_config, config_path.string()),
                                       config_path.string());
  model.pruning = own.pruning;
  model.provenance = {.source = folder.string(),
                      .steps = std::move(own.steps),
                      .tool_version = std::string(version())};
  return model;
}

Model Model::load(const std::filesystem::path& folder) {
  Model model = load_settings(folder);
  StoredWeights stored = read_weights(folder);
  std::map<std::string, Mask> masks = take_masks(stored);
  model.tensors = canonical_tensors(stored, model.config);
  model.masks = canonical_masks(std::move(masks), model, stored.file);
  model.provenance.source_hash = hash_of(model);
  return model;
}

}  // namespace kobolt
