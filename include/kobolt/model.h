#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "kobolt/export.h"
#include "kobolt/generation_config.h"
#include "kobolt/mask.h"
#include "kobolt/tensor.h"

namespace kobolt {

enum class Family : std::uint8_t { bart, mbart, marian, pegasus };
/// "bart", "mbart", "marian", "pegasus": the `model_type` of config.json.
KOBOLT_API std::string_view name_of(Family family);

/// gelu is the exact form x * Phi(x); gelu_new the tanh approximation.
enum class Activation : std::uint8_t { none, gelu, gelu_new, relu, silu, tanh };
/// The name in config.json ("silu" for both "silu" and "swish").
KOBOLT_API std::string_view name_of(Activation activation);

enum class Positions : std::uint8_t {
  learned_offset2,  ///< BART, mBART: table of max_positions + 2 rows, position p uses row p + 2
  sinusoidal,       ///< Marian, Pegasus: first half sines, second half cosines; no offset
};

/// Shape of one layer. Layers of one model may differ, so that a structurally pruned model is an
/// ordinary model.
struct LayerConfig {
  int self_heads = 0;
  int cross_heads = 0;  ///< 0 in the encoder
  int head_dim = 0;
  int ffn = 0;

  bool operator==(const LayerConfig&) const = default;
};

/// Everything about a model's shape and arithmetic, with the family's differences spelled out, so
/// that nothing after loading needs to ask for the family.
struct ModelConfig {
  Family family = Family::bart;
  int vocab_size = 0;          ///< rows of the decoder embedding and the output projection
  int encoder_vocab_size = 0;  ///< differs only for Marian with separate vocabularies
  int d_model = 0;
  int max_positions = 0;  ///< longest encoder or decoder sequence in tokens
  std::vector<LayerConfig> encoder_layers;
  std::vector<LayerConfig> decoder_layers;
  Activation activation = Activation::gelu;
  Positions positions = Positions::learned_offset2;
  bool scale_embedding = false;  ///< token embeddings times sqrt(d_model)
  bool pre_norm = false;         ///< layer norm before each block (mBART, Pegasus) or after
  bool embedding_norm = true;    ///< layernorm_embedding after embeddings (BART, mBART)
  bool final_norm = false;       ///< layer_norm after the last layer (mBART, Pegasus)
  bool tied_output = true;       ///< lm_head.weight is the decoder embedding
  bool shared_embedding = true;  ///< encoder and decoder use model.shared.weight
  float layer_norm_epsilon = 1e-5F;

  bool operator==(const ModelConfig&) const = default;
};

/// The tokenizer's files by name ("tokenizer.json", "tokenizer_config.json", "vocab.json",
/// "merges.txt", "source.spm", ...), byte for byte: engine files carry them, and a saved checkpoint
/// stays complete.
using TokenizerFiles = std::map<std::string, std::string>;

/// Where a model came from and what was done to it; travels into the engine file.
struct Provenance {
  std::string source;              ///< path of the checkpoint as given
  std::string source_hash;         ///< XXH3-128 of the weights, hex
  std::vector<std::string> steps;  ///< "pruned ...", "quantised ...", in order
  std::string tool_version;
};

/// What pruning has done to a model for good; travels in the folder's config.json.
struct PruningRecord {
  bool permanent = false;           ///< pruned weights are zero or gone: masks cannot come back
  std::int64_t removed_params = 0;  ///< parameters that are no longer there

  bool operator==(const PruningRecord&) const = default;
};

/// A loaded model: shapes, settings, tokenizer files and named weights.
///
/// Tensor names are those of Hugging Face with the "model." prefix, duplicates of tied tensors
/// removed: model.shared.weight; model.encoder.embed_tokens.weight and
/// model.decoder.embed_tokens.weight only when they are not shared; lm_head.weight only when it is
/// not tied; final_logits_bias [1, vocab] where the checkpoint has one.
struct Model {
  ModelConfig config;
  GenerationConfig generation;
  TokenizerFiles tokenizer;
  std::map<std::string, Tensor> tensors;
  /// Of tensors by name: elements that count as zero though `tensors` still has their values.
  std::map<std::string, Mask> masks;
  PruningRecord pruning;
  Provenance provenance;
  std::string raw_config;             ///< config.json, byte for byte
  std::string raw_generation_config;  ///< generation_config.json, empty where there is none

  /// Loads a Hugging Face folder: model.safetensors, sharded safetensors, pytorch_model.bin or its
  /// sharded form. Weights stay mapped. Throws Error naming the file and field at fault.
  static KOBOLT_API Model load(const std::filesystem::path& folder);

  /// The tensor of that name. Throws Error(not_found) naming it.
  [[nodiscard]] KOBOLT_API const Tensor& tensor(const std::string& name) const;
  /// The same with its mask applied: what the model computes with. A copy only where there is a
  /// mask. Throws Error(not_found).
  [[nodiscard]] KOBOLT_API Tensor effective_tensor(const std::string& name) const;
};

/// How the masks of a model are stored.
enum class MaskStorage : std::uint8_t {
  applied,  ///< pruned weights are zeros in the file, for good: an ordinary checkpoint
  pairs,  ///< X_orig and X_mask for a pruned X, as PyTorch's pruning module names them: reversible
};

/// Writes `model` as a Hugging Face folder (config.json, generation_config.json, tokenizer files,
/// model.safetensors with the weights as `dtype`: f32, f16 or bf16). Sizes that have changed are
/// changed in config.json; layers of different shapes go into its field "kobolt", which Model::load
/// understands and transformers does not. Each file is written beside, synced and renamed. Throws
/// Error.
KOBOLT_API void save_checkpoint(const Model& model, const std::filesystem::path& folder,
                                DType dtype, MaskStorage masks = MaskStorage::applied);

}  // namespace kobolt
