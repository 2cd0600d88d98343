#include "kobolt/inspect.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cli/commands.h"
#include "cli/generation_flags.h"
#include "cli/output.h"
#include "cli/table.h"

namespace kobolt::cli {
namespace {

using Lines = std::vector<std::pair<std::string, std::string>>;

std::string size_of(std::uint64_t bytes) { return format_bytes(static_cast<double>(bytes)); }

std::string grouped(std::uint64_t number) {
  const std::string digits = std::to_string(number);
  std::string text;
  for (std::size_t at = 0; at < digits.size(); ++at) {
    if (at > 0 && (digits.size() - at) % 3 == 0) text += ',';
    text += digits[at];
  }
  return text;
}

std::string_view name_of(Positions positions) {
  return positions == Positions::sinusoidal ? "sinusoidal" : "learned";
}

// "6 x (16 heads of 48, ffn 3072)"; layers that differ are told apart.
std::string layers_text(const std::vector<LayerConfig>& layers) {
  std::string text;
  for (std::size_t begin = 0; begin < layers.size();) {
    std::size_t end = begin + 1;
    while (end < layers.size() && layers[end] == layers[begin]) ++end;
    const LayerConfig& layer = layers[begin];
    std::string heads = fmt::format("{} heads", layer.self_heads);
    if (layer.cross_heads != 0 && layer.cross_heads != layer.self_heads) {
      heads = fmt::format("{} + {} heads", layer.self_heads, layer.cross_heads);
    }
    if (!text.empty()) text += ", ";
    text += fmt::format("{} x ({} of {}, ffn {})", end - begin, heads, layer.head_dim, layer.ffn);
    begin = end;
  }
  return text;
}

std::string arithmetic_text(const ModelConfig& config) {
  std::vector<std::string> traits = {
      std::string(config.pre_norm ? "pre-norm" : "post-norm"),
      std::string(name_of(config.activation)),
      fmt::format("{} positions", name_of(config.positions)),
  };
  if (config.embedding_norm) traits.emplace_back("embedding norm");
  if (config.final_norm) traits.emplace_back("final norm");
  if (config.scale_embedding) traits.emplace_back("scaled embeddings");
  if (!config.tied_output) traits.emplace_back("untied output");
  if (!config.shared_embedding) traits.emplace_back("separate embeddings");
  return fmt::format("{}", fmt::join(traits, ", "));
}

std::string vocabulary_text(const ModelConfig& config) {
  if (config.encoder_vocab_size == config.vocab_size)
    return grouped(static_cast<std::uint64_t>(config.vocab_size));
  return fmt::format("{} encoder, {} decoder", config.encoder_vocab_size, config.vocab_size);
}

std::string formats_text(const std::map<std::string, std::uint64_t>& bytes_by_format) {
  if (bytes_by_format.size() == 1) return "all " + bytes_by_format.begin()->first;
  std::vector<std::string> formats;
  formats.reserve(bytes_by_format.size());
  for (const auto& [format, bytes] : bytes_by_format) {
    formats.push_back(fmt::format("{} {}", format, size_of(bytes)));
  }
  return fmt::format("{}", fmt::join(formats, ", "));
}

std::string tokenizer_text(const TokenizerSummary& tokenizer) {
  if (!tokenizer.problem.empty()) return "cannot be used: " + tokenizer.problem;
  return fmt::format("{}, {} tokens ({})", tokenizer.kind,
                     grouped(static_cast<std::uint64_t>(tokenizer.vocab_size)),
                     fmt::join(tokenizer.files, ", "));
}

template <typename T>
Json maybe(const std::optional<T>& value) {
  return value ? Json(*value) : Json();
}

// Only what differs from doing nothing special, as command-line flags have it.
std::string generation_text(const GenerationConfig& config) {
  const Json neutral = to_json(GenerationConfig{});
  const Json settings = to_json(config);
  std::vector<std::string> shown;
  for (const auto& [key, value] : settings.items()) {
    if (value != neutral.at(key)) shown.push_back(key + " " + value.dump());
  }
  return shown.empty() ? "defaults" : fmt::format("{}", fmt::join(shown, ", "));
}

Json layers_json(const std::vector<LayerConfig>& layers) {
  Json list = Json::array();
  for (const LayerConfig& layer : layers) {
    list.push_back({{"self_heads", layer.self_heads},
                    {"cross_heads", layer.cross_heads},
                    {"head_dim", layer.head_dim},
                    {"ffn", layer.ffn}});
  }
  return list;
}

Json model_json(const ModelConfig& config) {
  return {
      {"family", name_of(config.family)},
      {"d_model", config.d_model},
      {"vocab_size", config.vocab_size},
      {"encoder_vocab_size", config.encoder_vocab_size},
      {"max_positions", config.max_positions},
      {"encoder_layers", layers_json(config.encoder_layers)},
      {"decoder_layers", layers_json(config.decoder_layers)},
      {"activation", name_of(config.activation)},
      {"positions", name_of(config.positions)},
      {"scale_embedding", config.scale_embedding},
      {"pre_norm", config.pre_norm},
      {"embedding_norm", config.embedding_norm},
      {"final_norm", config.final_norm},
      {"tied_output", config.tied_output},
      {"shared_embedding", config.shared_embedding},
  };
}

Json summary_json(const ModelSummary& summary) {
  Json parts = Json::array();
  for (const PartSummary& part : summary.parts) {
    parts.push_back({{"name", part.name},
                     {"parameters", part.parameters},
                     {"bytes", part.bytes},
                     {"formats", part.formats}});
  }
  Json matrices = Json::array();
  for (const MatrixSummary& matrix : summary.matrices) {
    matrices.push_back({{"name", matrix.name},
                        {"format", matrix.format},
                        {"bytes", matrix.bytes},
                        {"form", matrix.form},
                        {"left_out", matrix.left_out}});
  }
  return {
      {"path", summary.path},
      {"kind", summary.precision ? "engine" : "checkpoint"},
      {"precision", summary.precision ? Json(name_of(*summary.precision)) : Json()},
      {"format_version", maybe(summary.format_version)},
      {"model", model_json(summary.config)},
      {"parameters", summary.parameters},
      {"weight_bytes", summary.weight_bytes},
      {"file_bytes", summary.file_bytes},
      {"formats", summary.formats},
      {"parts", std::move(parts)},
      {"matrices", std::move(matrices)},
      {"tokenizer",
       {{"kind", summary.tokenizer.kind},
        {"vocab_size", summary.tokenizer.vocab_size},
        {"files", summary.tokenizer.files},
        {"problem", summary.tokenizer.problem}}},
      {"generation", to_json(summary.generation)},
      {"provenance",
       {{"source", summary.provenance.source},
        {"source_hash", summary.provenance.source_hash},
        {"steps", summary.provenance.steps},
        {"tool_version", summary.provenance.tool_version}}},
  };
}

// Which matrices are stored without their zeros; empty where none is.
std::string sparse_text(const std::vector<MatrixSummary>& matrices) {
  std::map<std::string, int> forms;
  double least = 1;
  double most = 0;
  for (const MatrixSummary& matrix : matrices) {
    if (matrix.form == "dense") continue;
    ++forms[matrix.form];
    least = std::min(least, matrix.left_out);
    most = std::max(most, matrix.left_out);
  }
  std::vector<std::string> counts;
  counts.reserve(forms.size());
  for (const auto& [form, count] : forms) counts.push_back(fmt::format("{} as {}", count, form));
  if (counts.empty()) return "";
  return fmt::format("{} of {} matrices, {:.1f} to {:.1f} % of each left out",
                     fmt::join(counts, ", "), matrices.size(), 100 * least, 100 * most);
}

void print_summary(const ModelSummary& summary) {
  const ModelConfig& config = summary.config;
  std::string kind = "Hugging Face checkpoint";
  if (summary.precision) {
    kind = fmt::format("engine, {}, format {}", name_of(*summary.precision),
                       summary.format_version.value_or(0));
  }
  Lines lines = {
      {"model", summary.path},
      {"kind", kind},
      {"family", std::string(name_of(config.family))},
      {"encoder", layers_text(config.encoder_layers)},
      {"decoder", layers_text(config.decoder_layers)},
      {"width", std::to_string(config.d_model)},
      {"vocabulary", vocabulary_text(config)},
      {"positions", std::to_string(config.max_positions)},
      {"arithmetic", arithmetic_text(config)},
      {"weights",
       fmt::format("{}, {}", size_of(summary.weight_bytes), formats_text(summary.formats))},
      {"on disk", size_of(summary.file_bytes)},
      {"tokenizer", tokenizer_text(summary.tokenizer)},
      {"generation", generation_text(summary.generation)},
      {"source hash", summary.provenance.source_hash},
  };
  if (const std::string sparse = sparse_text(summary.matrices); !sparse.empty()) {
    lines.emplace_back("without zeros", sparse);
  }
  if (summary.precision) {
    lines.emplace_back("source", summary.provenance.source);
    lines.emplace_back("written by", "kobolt " + summary.provenance.tool_version);
  }
  for (const std::string& step : summary.provenance.steps) lines.emplace_back("step", step);
  print("{}", key_values(lines));

  Table table({{.title = "part"},
               {.title = "parameters", .align = Align::right},
               {.title = "stored", .align = Align::right},
               {.title = "as"}});
  for (const PartSummary& part : summary.parts) {
    table.add_row(
        {part.name, grouped(part.parameters), size_of(part.bytes), formats_text(part.formats)});
  }
  table.add_row({"all", grouped(summary.parameters), size_of(summary.weight_bytes),
                 formats_text(summary.formats)});
  print("\n{}", table.text());
}

}  // namespace

void add_inspect(CLI::App& app, const GlobalOptions& global) {
  CLI::App& command = add_command(app, "inspect", "Show what a checkpoint or an engine is made of",
                                  "kobolt inspect examples/deb-bart\n"
                                  "kobolt inspect model.kobolt --json");
  auto path = std::make_shared<std::string>();
  command.add_option("model", *path, "Hugging Face folder or engine file")->required();
  command.callback([path, &global] {
    const ModelSummary summary = inspect(*path);
    if (global.json) {
      print_json(summary_json(summary));
    } else {
      print_summary(summary);
    }
  });
}

}  // namespace kobolt::cli
