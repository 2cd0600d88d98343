#include "kobolt/compile.h"

#include <fmt/format.h>

#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "base/aligned.h"
#include "base/atomic_file.h"
#include "compile/compile_to_memory.h"
#include "compile/precision_plan.h"
#include "compile/section_builder.h"
#include "format/engine_file.h"
#include "kobolt/error.h"
#include "kobolt/int4_rounding.h"
#include "kobolt/version.h"
#include "model/positions.h"

namespace kobolt {
namespace {

class FileSink : public EngineSink {
 public:
  explicit FileSink(AtomicFile& file) : file_(file) {}
  void append(std::span<const std::byte> bytes) override { file_.write(bytes); }
  void overwrite(std::size_t offset, std::span<const std::byte> bytes) override {
    file_.write_at(offset, bytes);
  }

 private:
  AtomicFile& file_;
};

class MemorySink : public EngineSink {
 public:
  explicit MemorySink(AlignedVector<std::byte>& image) : image_(image) {}
  void append(std::span<const std::byte> bytes) override {
    image_.insert(image_.end(), bytes.begin(), bytes.end());
  }
  void overwrite(std::size_t offset, std::span<const std::byte> bytes) override {
    std::memcpy(image_.data() + offset, bytes.data(), bytes.size());
  }

 private:
  AlignedVector<std::byte>& image_;
};

void add_positions(const ModelConfig& config, SectionBuilder& builder, const std::string& side) {
  const int rows = config.max_positions;
  const int d = config.d_model;
  const std::string tensor = "model." + side + ".embed_positions.weight";
  std::vector<float> table;
  if (config.positions == Positions::sinusoidal) {
    table = builder.has(tensor) ? builder.values(tensor, {rows, d}) : sinusoidal_positions(rows, d);
  } else {
    constexpr int kOffset = 2;
    table = builder.values(tensor, {rows + kOffset, d});
    table.erase(table.begin(), table.begin() + static_cast<std::ptrdiff_t>(kOffset) * d);
  }
  builder.table(side + ".positions", table, rows, d);
}

void add_layer(const ModelConfig& config, const LayerConfig& layer, const std::string& ours,
               SectionBuilder& builder) {
  if (layer.self_heads < 1 || layer.head_dim < 1 || layer.ffn < 1) {
    throw Error(ErrorKind::unsupported, "a layer without heads or without ffn neurons",
                {.field = ours});
  }
  const std::string theirs = "model." + ours;
  const int d = config.d_model;
  const int self = layer.self_heads * layer.head_dim;
  const int cross = layer.cross_heads * layer.head_dim;
  const std::string self_attn = theirs + ".self_attn.";
  builder.linear(ours + ".self_attn.qkv",
                 {self_attn + "q_proj", self_attn + "k_proj", self_attn + "v_proj"}, self, d);
  builder.linear(ours + ".self_attn.out", {self_attn + "out_proj"}, d, self);
  builder.norm(ours + ".self_attn_norm", theirs + ".self_attn_layer_norm", d);
  if (cross > 0) {
    const std::string cross_attn = theirs + ".encoder_attn.";
    builder.linear(ours + ".cross_attn.q", {cross_attn + "q_proj"}, cross, d);
    builder.linear(ours + ".cross_attn.kv", {cross_attn + "k_proj", cross_attn + "v_proj"}, cross,
                   d);
    builder.linear(ours + ".cross_attn.out", {cross_attn + "out_proj"}, d, cross);
    builder.norm(ours + ".cross_attn_norm", theirs + ".encoder_attn_layer_norm", d);
  }
  builder.linear(ours + ".fc1", {theirs + ".fc1"}, layer.ffn, d);
  builder.linear(ours + ".fc2", {theirs + ".fc2"}, d, layer.ffn);
  builder.norm(ours + ".ffn_norm", theirs + ".final_layer_norm", d);
}

void add_side(const ModelConfig& config, const std::vector<LayerConfig>& layers,
              const std::string& side, SectionBuilder& builder) {
  add_positions(config, builder, side);
  const std::string theirs = "model." + side;
  if (config.embedding_norm) {
    builder.norm(side + ".embedding_norm", theirs + ".layernorm_embedding", config.d_model);
  }
  for (std::size_t i = 0; i < layers.size(); ++i) {
    add_layer(config, layers[i], fmt::format("{}.layers.{}", side, i), builder);
  }
  if (config.final_norm) {
    builder.norm(side + ".final_norm", theirs + ".layer_norm", config.d_model);
  }
}

void check_rounding(const Int4Rounding& rounding, const Model& model) {
  if (rounding.model_hash == model.provenance.source_hash) return;
  throw Error(
      ErrorKind::invalid_argument, "the int4 weights are those of another model",
      {.field = "int4",
       .found = rounding.model_hash,
       .expected = model.provenance.source_hash + ", the hash of " + model.provenance.source});
}

std::string step_text(const PrecisionPlan& plan, const CompileOptions& options) {
  std::string text = "compiled to " + plan.text();
  if (options.int4 && plan.has(Precision::int4)) {
    text += fmt::format(", int4 rounded for {} documents", options.int4->documents);
  }
  return text;
}

void compile_to(const Model& model, const CompileOptions& options, EngineSink& sink) {
  const ModelConfig& config = model.config;
  const PrecisionPlan plan(options, config);
  if (options.int4) check_rounding(*options.int4, model);
  EngineWriter writer(sink);
  SectionBuilder builder(model, plan, options, writer);
  if (config.shared_embedding) {
    builder.matrix("embedding", "model.shared.weight", config.vocab_size, config.d_model);
  } else {
    builder.matrix("encoder.embedding", "model.encoder.embed_tokens.weight",
                   config.encoder_vocab_size, config.d_model);
    builder.matrix("decoder.embedding", "model.decoder.embed_tokens.weight", config.vocab_size,
                   config.d_model);
  }
  if (!config.tied_output) {
    builder.matrix("lm_head", "lm_head.weight", config.vocab_size, config.d_model);
  }
  std::vector<float> logits_bias(static_cast<std::size_t>(config.vocab_size));
  if (builder.has("final_logits_bias")) {
    logits_bias = builder.values("final_logits_bias", {1, config.vocab_size});
  }
  builder.padded_vector("logits_bias", std::move(logits_bias));
  add_side(config, config.encoder_layers, "encoder", builder);
  add_side(config, config.decoder_layers, "decoder", builder);
  for (const auto& [name, content] : model.tokenizer) builder.file(name, content);

  EngineMetadata metadata{.precision = options.precision,
                          .config = config,
                          .generation = model.generation,
                          .provenance = model.provenance};
  metadata.provenance.tool_version = version();
  metadata.provenance.steps.push_back(step_text(plan, options));
  writer.finish(metadata);
}

}  // namespace

void compile(const Model& model, const std::filesystem::path& output,
             const CompileOptions& options) {
  AtomicFile file(output);
  FileSink sink(file);
  compile_to(model, options, sink);
  file.commit();
}

std::shared_ptr<const EngineFile> compile_to_memory(const Model& model,
                                                    const CompileOptions& options) {
  auto image = std::make_shared<AlignedVector<std::byte>>();
  MemorySink sink(*image);
  compile_to(model, options, sink);
  const std::span<const std::byte> bytes(*image);
  return EngineFile::from_memory(bytes, std::move(image), model.provenance.source);
}

}  // namespace kobolt
