#include "runtime/open_onnx.h"

#include <fmt/format.h>

#include <string>
#include <system_error>
#include <utility>

#include "base/machine.h"
#include "checkpoint/load_settings.h"
#include "onnxruntime/library.h"
#include "runtime/onnx_cohort.h"

namespace kobolt {
namespace {

/// "int8, lm_head=fp32" of OnnxPrecision as what an engine would call it; folders of others say
/// nothing.
Precision precision_of(const OnnxGraphs& graphs) {
  const std::string text = graphs.encoder().metadata("kobolt.precision");
  if (text.starts_with("int8")) return Precision::int8;
  if (text.starts_with("int4")) return Precision::int4;
  return graphs.cache_type() == OnnxElement::f16 ? Precision::fp16 : Precision::fp32;
}

std::uint64_t bytes_of_graphs(const std::filesystem::path& folder) {
  std::uint64_t bytes = 0;
  std::error_code failed;
  for (const auto& entry : std::filesystem::directory_iterator(folder, failed)) {
    if (entry.path().extension().string().starts_with(".onnx")) bytes += entry.file_size(failed);
  }
  return bytes;
}

}  // namespace

bool has_onnx_graphs(const std::filesystem::path& folder) {
  std::error_code failed;
  for (const auto& entry : std::filesystem::directory_iterator(folder, failed)) {
    if (entry.path().extension() == ".onnx") return true;
  }
  return false;
}

ForeignModel open_onnx(const std::filesystem::path& folder, int threads) {
  (void)require_onnx_runtime(folder);
  Model settings = load_settings(folder);
  auto graphs = std::make_unique<OnnxGraphs>(folder, threads > 0 ? threads : usable_cores());
  settings.provenance.source_hash = graphs->encoder().metadata("kobolt.source_hash");
  const std::uint64_t bytes = bytes_of_graphs(folder);
  ForeignModel model{
      .metadata = {.precision = precision_of(*graphs),
                   .config = settings.config,
                   .generation = settings.generation,
                   .provenance = std::move(settings.provenance)},
      .tokenizer = std::move(settings.tokenizer),
      .library = fmt::format("ONNX Runtime {}", OnnxRuntimeLibrary::find().version()),
      .file_bytes = bytes,
      .weight_bytes = bytes};
  model.kv_cache = graphs->cache_type() == OnnxElement::f16 ? KvCache::fp16 : KvCache::fp32;
  model.backend = std::make_unique<OnnxBackend>(std::move(graphs), settings.config.vocab_size,
                                                settings.config.max_positions);
  return model;
}

}  // namespace kobolt
