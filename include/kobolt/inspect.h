#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "kobolt/compile.h"
#include "kobolt/export.h"
#include "kobolt/generation_config.h"
#include "kobolt/model.h"

namespace kobolt {

/// What a part of a model weighs. Tied matrices count once, in the embeddings.
struct PartSummary {
  std::string name;              ///< "embeddings", "encoder", "decoder" or "output"
  std::uint64_t parameters = 0;  ///< elements of the model's tensors
  std::uint64_t bytes = 0;       ///< as stored, scales and padding of engine files included
  std::map<std::string, std::uint64_t> formats;  ///< those bytes by number format
};

/// A matrix or table of an engine and the number format it is stored in.
struct MatrixSummary {
  std::string name;    ///< as CompileOptions::layers names it
  std::string format;  ///< "F32", "F16", "BF16", "I8" or "I4"
  std::uint64_t bytes = 0;
  /// "dense", or how zeros are left out: "blocks" or "values" (docs/format.md).
  std::string form;
  /// Share of the elements that is not stored, 0 to 1. Padding that is stored counts as stored.
  double left_out = 0;
};

/// The tokenizer of a model, as far as it can be read.
struct TokenizerSummary {
  std::string kind;                ///< "BPE", "Unigram", ...; empty where it cannot be used
  int vocab_size = 0;              ///< added tokens included
  std::vector<std::string> files;  ///< the names of its files
  std::string problem;             ///< why it cannot be used, else empty
};

/// What there is to know of a checkpoint or an engine without running it.
struct ModelSummary {
  std::string path;                    ///< as given
  std::optional<Precision> precision;  ///< of an engine; nothing for a checkpoint
  std::optional<int> format_version;   ///< of an engine file
  ModelConfig config;
  std::vector<PartSummary> parts;
  std::vector<MatrixSummary> matrices;  ///< of an engine, in the order of the file
  std::uint64_t parameters = 0;
  std::uint64_t weight_bytes = 0;  ///< of all parts
  std::uint64_t file_bytes = 0;    ///< all that the folder's files, or the engine file, take
  std::map<std::string, std::uint64_t> formats;  ///< bytes of weights by number format
  TokenizerSummary tokenizer;
  GenerationConfig generation;
  Provenance provenance;
};

/// Summarises the Hugging Face folder or the engine file at `path`, checking it as loading does.
/// Throws Error. A tokenizer that cannot be used is no error: the summary says why.
KOBOLT_API ModelSummary inspect(const std::filesystem::path& path);

}  // namespace kobolt
