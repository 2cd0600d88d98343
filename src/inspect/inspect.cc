#include "kobolt/inspect.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <string_view>
#include <system_error>
#include <utility>

#include "format/engine_file.h"
#include "kobolt/error.h"
#include "kobolt/tokenizer.h"
#include "model/layout.h"
#include "model/pattern.h"

namespace kobolt {
namespace {

constexpr std::array<const char*, 4> kPartNames{"embeddings", "encoder", "decoder", "output"};

std::size_t index_of(ModelPart part) { return static_cast<std::size_t>(part); }

std::vector<PartSummary> empty_parts() {
  std::vector<PartSummary> parts;
  parts.reserve(kPartNames.size());
  for (const char* name : kPartNames) parts.push_back({.name = name});
  return parts;
}

std::uint64_t elements_of(const TensorSpec& spec) {
  std::uint64_t count = 1;
  for (const std::int64_t extent : spec.shape) count *= static_cast<std::uint64_t>(extent);
  return count;
}

TokenizerSummary summarise_tokenizer(const TokenizerFiles& files, Family family) {
  TokenizerSummary summary;
  for (const auto& [name, content] : files) summary.files.push_back(name);
  try {
    const Tokenizer tokenizer = Tokenizer::load(files, family);
    summary.kind = tokenizer.kind();
    summary.vocab_size = tokenizer.vocab_size();
  } catch (const Error& error) {
    summary.problem = error.what();
  }
  return summary;
}

void add_up(ModelSummary& summary) {
  for (const PartSummary& part : summary.parts) {
    summary.parameters += part.parameters;
    summary.weight_bytes += part.bytes;
  }
}

// A file that disappears meanwhile counts as nothing.
std::uint64_t bytes_in_folder(const std::filesystem::path& folder) {
  std::uint64_t total = 0;
  std::error_code failure;
  std::filesystem::directory_iterator entry(folder, failure);
  for (; !failure && entry != std::filesystem::directory_iterator(); entry.increment(failure)) {
    std::error_code unknown;
    if (!entry->is_regular_file(unknown)) continue;
    const std::uintmax_t size = entry->file_size(unknown);
    if (!unknown) total += size;
  }
  return total;
}

ModelSummary inspect_checkpoint(const std::filesystem::path& folder) {
  const Model model = Model::load(folder);
  ModelSummary summary;
  summary.config = model.config;
  summary.parts = empty_parts();
  for (const TensorSpec& spec : expected_tensors(model.config)) {
    const auto tensor = model.tensors.find(spec.name);
    if (tensor == model.tensors.end()) continue;  // optional, else loading had failed
    PartSummary& part = summary.parts[index_of(spec.part)];
    part.parameters += elements_of(spec);
    const std::uint64_t bytes = tensor->second.bytes.size();
    part.bytes += bytes;
    part.formats[std::string(name_of(tensor->second.dtype))] += bytes;
    summary.formats[std::string(name_of(tensor->second.dtype))] += bytes;
  }
  summary.file_bytes = bytes_in_folder(folder);
  summary.tokenizer = summarise_tokenizer(model.tokenizer, model.config.family);
  summary.generation = model.generation;
  summary.provenance = model.provenance;
  return summary;
}

// By the names in docs/format.md; nothing for what is no weight.
std::optional<ModelPart> part_of(std::string_view section) {
  const auto contains = [&](std::string_view text) {
    return section.find(text) != std::string_view::npos;
  };
  if (section.starts_with("tokenizer/")) return std::nullopt;
  if (section.starts_with("lm_head") || section.starts_with("logits_bias")) {
    return ModelPart::output;
  }
  const bool table = contains("embedding.") || contains(".positions") || section == "embedding";
  if (table && !contains("embedding_norm")) return ModelPart::embeddings;
  return section.starts_with("encoder.") ? ModelPart::encoder : ModelPart::decoder;
}

std::string_view number_format(Layout layout) {
  switch (layout) {
    case Layout::rows_f32:
    case Layout::panels_f32:
    case Layout::blocks_f32:
    case Layout::values_f32:
      return name_of(DType::f32);
    case Layout::rows_f16:
    case Layout::panels_f16:
    case Layout::blocks_f16:
    case Layout::values_f16:
      return name_of(DType::f16);
    case Layout::rows_bf16:
    case Layout::panels_bf16:
    case Layout::blocks_bf16:
    case Layout::values_bf16:
      return name_of(DType::bf16);
    case Layout::rows_i8:
    case Layout::panels_i8:
    case Layout::blocks_i8:
    case Layout::values_i8:
      return name_of(DType::i8);
    case Layout::panels_i4:
      return "I4";
    case Layout::bytes:
      break;
  }
  return name_of(DType::u8);
}

void add_sparsity(const EngineFile& engine, const Section& section, MatrixSummary& matrix) {
  const auto sparse = sparse_layout(section.layout);
  if (!sparse) return;
  const auto kept =
      static_cast<double>(kernels::kept_values(sparse->form, sparse->value_bytes, section.shape[0],
                                               section.shape[1], engine.bytes(section)));
  const double all = static_cast<double>(section.shape[0]) * static_cast<double>(section.shape[1]);
  matrix.form = sparse->form == kernels::SparseForm::blocks ? "blocks" : "values";
  if (all > 0) matrix.left_out = std::max(0.0, 1.0 - kept / all);
}

ModelSummary inspect_engine(const std::filesystem::path& path) {
  const auto engine = EngineFile::open(path);
  const EngineMetadata& metadata = engine->metadata();
  ModelSummary summary;
  summary.precision = metadata.precision;
  summary.format_version = static_cast<int>(engine->version());
  summary.config = metadata.config;
  summary.parts = empty_parts();
  // An engine holds tables that a checkpoint leaves to the formula; they are no parameters.
  for (const TensorSpec& spec : expected_tensors(metadata.config)) {
    const bool bias = spec.name == "final_logits_bias";
    if (spec.required || bias) summary.parts[index_of(spec.part)].parameters += elements_of(spec);
  }
  for (const Section& section : engine->sections()) {
    const auto part = part_of(section.name);
    if (!part) continue;
    const std::string format(number_format(section.layout));
    PartSummary& of_part = summary.parts[index_of(*part)];
    of_part.bytes += section.size;
    of_part.formats[format] += section.size;
    summary.formats[format] += section.size;
    if (section.shape.size() == 2) {
      MatrixSummary matrix{.name = std::string(module_of(section.name)),
                           .format = format,
                           .bytes = section.size,
                           .form = "dense"};
      add_sparsity(*engine, section, matrix);
      summary.matrices.push_back(std::move(matrix));
    }
  }
  summary.file_bytes = engine->size();
  summary.tokenizer = summarise_tokenizer(engine->tokenizer_files(), metadata.config.family);
  summary.generation = metadata.generation;
  summary.provenance = metadata.provenance;
  return summary;
}

}  // namespace

ModelSummary inspect(const std::filesystem::path& path) {
  std::error_code failure;  // loading says what is wrong
  const bool file = std::filesystem::is_regular_file(path, failure);
  ModelSummary summary = file ? inspect_engine(path) : inspect_checkpoint(path);
  summary.path = path.string();
  add_up(summary);
  return summary;
}

}  // namespace kobolt
