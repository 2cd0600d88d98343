#include <fmt/format.h>

#include <functional>
#include <limits>
#include <list>
#include <optional>
#include <string>
#include <vector>

#include "base/atomic_file.h"
#include "base/folder.h"
#include "base/presence.h"
#include "checkpoint/describe.h"
#include "checkpoint/settings_files.h"
#include "export/onnx/graph.h"
#include "export/onnx/graphs.h"
#include "export/onnx/matrix_plan.h"
#include "export/onnx/weight_file.h"
#include "kobolt/error.h"
#include "kobolt/onnx.h"
#include "kobolt/version.h"

namespace kobolt {
namespace {

namespace fs = std::filesystem;

constexpr int kLayerNormalizationOpset = 17;
constexpr int kInt4Opset = 21;

int opset_for(const OnnxOptions& options, const onnx::MatrixPlan& plan) {
  const bool int4 = plan.has(OnnxPrecision::int4_weights);
  const int opset = options.opset.value_or(int4 ? kInt4Opset : kLayerNormalizationOpset);
  if (opset < kOldestOpset || opset > kNewestOpset) {
    throw Error(ErrorKind::invalid_argument, "not an operator set that Kobolt writes",
                {.field = "opset",
                 .found = std::to_string(opset),
                 .expected = fmt::format("{} to {}", kOldestOpset, kNewestOpset)});
  }
  if (int4 && opset < kInt4Opset) {
    throw Error(ErrorKind::invalid_argument, "numbers of 4 bits are not part of this operator set",
                {.field = "opset",
                 .found = std::to_string(opset),
                 .expected = fmt::format("at least {} for int4-weights", kInt4Opset)});
  }
  return opset;
}

void check_size(const char* field, const std::optional<std::int64_t>& size, std::int64_t most) {
  if (!size || (*size >= 1 && *size <= most)) return;
  throw Error(
      ErrorKind::invalid_argument, "not a size that the export can be fixed to",
      {.field = field, .found = std::to_string(*size), .expected = fmt::format("1 to {}", most)});
}

/// Layers without anything in them would need graphs of another form.
void check_layers(const Model& model) {
  const ModelConfig& config = model.config;
  for (const auto* layers : {&config.encoder_layers, &config.decoder_layers}) {
    for (const LayerConfig& layer : *layers) {
      const bool decoder = layers == &config.decoder_layers;
      if (layer.self_heads >= 1 && layer.head_dim >= 1 && layer.ffn >= 1 &&
          (layer.cross_heads >= 1 || !decoder)) {
        continue;
      }
      throw Error(ErrorKind::unsupported, "a layer without heads or without ffn neurons",
                  {.file = model.provenance.source,
                   .field = decoder ? "decoder.layers" : "encoder.layers"});
    }
  }
}

/// Embeddings are looked up by rows, which are not stored in 4 bits.
void check_tables(const ModelConfig& config, const onnx::MatrixPlan& plan) {
  std::vector<std::string> tables = {"encoder.embed_positions", "decoder.embed_positions"};
  if (config.shared_embedding) {
    tables.emplace_back("shared");
  } else {
    tables.insert(tables.end(), {"encoder.embed_tokens", "decoder.embed_tokens"});
  }
  for (const std::string& table : tables) {
    if (!plan.has(table) || plan.of(table) != OnnxPrecision::int4_weights) continue;
    throw Error(ErrorKind::unsupported, "an ONNX export stores no embedding in 4 bits",
                {.field = "layer",
                 .found = table + "=int4-weights",
                 .expected = "fp32, fp16 or int8-weights"});
  }
}

/// optimum takes this file, where it is, instead of the decoders that are written here.
void check_folder(const fs::path& folder) {
  const fs::path merged = folder / "decoder_model_merged.onnx";
  if (!may_exist(merged)) return;
  throw Error(ErrorKind::invalid_argument, "the folder holds another export",
              {.file = merged.string(),
               .hint = "optimum would load it instead; remove it or choose another folder"});
}

/// A file in the making and the graph in it.
struct GraphFile {
  fs::path path;
  AtomicFile file;
  GraphFile(const fs::path& target, const std::string& content) : path(target), file(target) {
    file.write(content);
  }
};

}  // namespace

std::vector<ExportedFile> export_onnx(const Model& model, const fs::path& folder,
                                      const OnnxOptions& options) {
  const onnx::MatrixPlan plan(options, model);
  const int opset = opset_for(options, plan);
  check_size("batch", options.batch, std::numeric_limits<std::int32_t>::max());
  check_size("sequence", options.sequence, model.config.max_positions);
  check_shapes(model);
  check_layers(model);
  check_tables(model.config, plan);
  const std::string config =
      described_config(model, (folder / "config.json").string(), MaskStorage::applied);
  check_folder(folder);
  make_folder(folder);

  const auto dimension = [](const std::optional<std::int64_t>& size, const char* name) {
    return size ? onnx::Dimension(*size) : onnx::Dimension(name);
  };
  const onnx::GraphPlan parts{.model = model,
                              .matrices = plan,
                              .batch = dimension(options.batch, "batch_size"),
                              .source = dimension(options.sequence, "encoder_sequence_length"),
                              .fixed_cache = options.fixed_cache};
  const fs::path data = folder / "model.onnx_data";
  onnx::WeightFile weights(data);
  std::list<GraphFile> files;  // they do not move
  const auto write = [&](const char* name, const std::function<void(onnx::Graph&)>& build) {
    onnx::Graph graph(name, opset, weights);
    build(graph);
    files.emplace_back(folder / (std::string(name) + ".onnx"),
                       graph.finish({{"kobolt.source_hash", model.provenance.source_hash},
                                     {"kobolt.precision", plan.text()}}));
  };
  using onnx::DecoderStep;
  write("encoder_model", [&](onnx::Graph& graph) { add_encoder(parts, graph); });
  write("decoder_model",
        [&](onnx::Graph& graph) { add_decoder(parts, DecoderStep::first, graph); });
  write("decoder_with_past_model",
        [&](onnx::Graph& graph) { add_decoder(parts, DecoderStep::later, graph); });

  // All is written; now it appears.
  std::vector<ExportedFile> written;
  weights.commit();
  for (GraphFile& graph : files) {
    graph.file.commit();
    written.push_back({.path = graph.path, .bytes = graph.file.size()});
  }
  written.push_back({.path = data, .bytes = weights.size()});
  write_settings(model, folder, config);
  return written;
}

}  // namespace kobolt
