#include "kobolt/prune.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <iterator>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "cli/commands.h"
#include "cli/layer_importance.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "cli/table.h"
#include "kobolt/error.h"
#include "kobolt/evaluate.h"

namespace kobolt::cli {
namespace {

struct PruneFlags {
  std::string model;
  std::string output;
  std::string method = "magnitude";
  double amount = PruningOptions{}.amount;
  std::vector<std::string> layers;
  std::vector<std::string> drop;
  int encoder_layers = 0;
  int decoder_layers = 0;
  std::string data;
  std::size_t limit = 100;
  std::string vocabulary;
  DatasetOptions fields;
  std::string unit = "channel";
  int dim = 0;
  std::string norm = "2";
  std::string format = "masked";
  bool permanent = false;
  bool uniform = false;
  bool force = false;
  bool verbose = false;
};

/// What was done, for the report.
struct PruneOutcome {
  std::vector<std::string> targets;  ///< matrices, or layers that are gone
  double seconds = 0;                ///< to choose what is pruned
  std::vector<DroppedLayer> trials;  ///< of layers dropped by importance
  PruningStats stats;
  PermanentReport permanent;
  VocabularyReport vocabulary;
  bool ordinary = true;  ///< transformers can load it
};

bool drops_layers(const PruneFlags& options) { return options.method == "layers"; }

bool prunes_weights(const PruneFlags& options) {
  return options.method != "layers" && options.method != "none";
}

PruningOptions pruning_options(const PruneFlags& options, const GlobalOptions& global) {
  return {.method = pruning_method_from_name(options.method),
          .amount = options.amount,
          .unit = pruning_unit_from_name(options.unit),
          .dim = options.dim,
          .norm = norm_from_name(options.norm),
          .targets = {.layers = options.layers, .force = options.force, .threads = global.threads}};
}

// The format that the checkpoint has: of its largest tensor.
DType stored_format(const Model& model) {
  const auto largest = std::ranges::max_element(model.tensors, {},
                                                [](const auto& t) { return t.second.elements(); });
  return largest->second.dtype;
}

std::string sparsity_text(double share) { return fmt::format("{:.2f} %", share * 100); }

std::string ratio_text(double ratio) {
  return std::isfinite(ratio) ? fmt::format("{:.3f}", ratio) : "infinite";
}

std::string layers_text(const PruneFlags& options, std::size_t count) {
  const std::string which = options.layers.empty()
                                ? "every linear layer except embeddings and output projection"
                                : fmt::format("{}", fmt::join(options.layers, ", "));
  return fmt::format("{} ({} matrices)", which, count);
}

Json to_json(const PruneFlags& options, const PruneOutcome& outcome) {
  const PruningStats& stats = outcome.stats;
  const PermanentReport& report = outcome.permanent;
  Json json = {{"model", options.model}, {"output", options.output}, {"method", options.method}};
  if (prunes_weights(options)) {
    json["amount"] = options.amount;
    json["seconds"] = outcome.seconds;
  }
  json[drops_layers(options) ? "dropped_layers" : "target_layers"] = outcome.targets;
  for (const DroppedLayer& layer : outcome.trials) {
    json["importance"].push_back({{"layer", layer.name}, {"rouge_l_without", layer.rouge_l}});
  }
  if (!options.vocabulary.empty()) {
    json["vocabulary"] = {{"before", outcome.vocabulary.before},
                          {"after", outcome.vocabulary.after}};
  }
  if (options.method == "structured") {
    json["unit"] = options.unit;
    if (options.unit == "channel") json["dim"] = options.dim;
    json["norm"] = options.norm;
  }
  json.update(
      {{"format", options.format},
       {"permanent", options.permanent || options.uniform},
       {"total_params", stats.total_params},
       {"pruned_params", stats.pruned_params},
       {"active_params", stats.active_params},
       {"sparsity", stats.sparsity},
       {"compression_ratio",
        std::isfinite(stats.compression_ratio) ? Json(stats.compression_ratio) : Json(nullptr)}});
  if (options.permanent || options.uniform) {
    json["removed"] = {
        {"heads", report.heads}, {"neurons", report.neurons}, {"params", report.removed_params}};
    json["stayed"] = Json::array();
    for (const StayedChannels& stayed : report.stayed) {
      json["stayed"].push_back(
          {{"layer", stayed.layer}, {"count", stayed.count}, {"why", stayed.why}});
    }
  }
  for (const LayerPruning& layer : stats.layers) {
    json["layers"].push_back({{"name", layer.name},
                              {"total_params", layer.total},
                              {"pruned_params", layer.pruned},
                              {"sparsity", layer.sparsity()}});
  }
  return json;
}

// What vanished and what could not, by reason: a line each, and each layer when asked for.
void print_report(const PermanentReport& report, bool verbose) {
  print("removed for good: {} heads, {} ffn neurons, {} parameters\n", report.heads, report.neurons,
        report.removed_params);
  std::vector<std::pair<std::string, int>> reasons;
  for (const StayedChannels& stayed : report.stayed) {
    if (verbose) print("  stays as zeros: {} of {}: {}\n", stayed.count, stayed.layer, stayed.why);
    const auto known =
        std::ranges::find(reasons, stayed.why, [](const auto& r) { return r.first; });
    if (known != reasons.end()) {
      known->second += stayed.count;
    } else {
      reasons.emplace_back(stayed.why, stayed.count);
    }
  }
  for (const auto& [why, count] : reasons) {
    if (!verbose) print("  stay as zeros: {}, because: {}\n", count, why);
  }
}

// Whether config.json can say what the model has become.
bool loads_in_transformers(const ModelConfig& config) {
  for (const auto* layers : {&config.encoder_layers, &config.decoder_layers}) {
    for (const LayerConfig& layer : *layers) {
      const bool fills = layer.self_heads * layer.head_dim == config.d_model &&
                         (layer.cross_heads == 0 || layer.cross_heads == layer.self_heads);
      if (!fills || !(layer == layers->front())) return false;
    }
  }
  return true;
}

std::string method_text(const PruneFlags& options) {
  const bool structured = options.method == "structured";
  if (options.unit == "whole" && (structured || options.method == "global")) {
    return fmt::format("{}, heads and ffn neurons by L-{} norm", options.method, options.norm);
  }
  if (!structured) return options.method;
  return fmt::format("structured, {} by L-{} norm", options.dim == 0 ? "rows" : "columns",
                     options.norm);
}

void print_text(const PruneFlags& options, const PruneOutcome& outcome) {
  const PruningStats& stats = outcome.stats;
  std::vector<std::pair<std::string, std::string>> head = {{"method", method_text(options)}};
  if (prunes_weights(options)) {
    head.emplace_back("amount", fmt::format("{}", options.amount));
    head.emplace_back("target layers", layers_text(options, outcome.targets.size()));
  }
  if (drops_layers(options)) {
    head.emplace_back("dropped", fmt::format("{}", fmt::join(outcome.targets, ", ")));
  }
  if (!options.vocabulary.empty()) {
    head.emplace_back("vocabulary", fmt::format("{} tokens of {}", outcome.vocabulary.after,
                                                outcome.vocabulary.before));
  }
  print("{}", key_values(head));
  for (const DroppedLayer& layer : outcome.trials) {
    print("  without {}: ROUGE-L {:.4f}\n", layer.name, layer.rouge_l);
  }
  if (options.verbose) {
    Table table(
        {{"layer"}, {"weights", Align::right}, {"pruned", Align::right}, {"", Align::right}});
    for (const LayerPruning& layer : stats.layers) {
      if (layer.pruned == 0) continue;
      table.add_row({layer.name, fmt::format("{}", layer.total), fmt::format("{}", layer.pruned),
                     sparsity_text(layer.sparsity())});
    }
    print("\n{}\n", table.text());
  }
  print("{}", key_values({{"total parameters", fmt::format("{}", stats.total_params)},
                          {"pruned", fmt::format("{}", stats.pruned_params)},
                          {"active", fmt::format("{}", stats.active_params)},
                          {"sparsity", sparsity_text(stats.sparsity)},
                          {"compression ratio", ratio_text(stats.compression_ratio)},
                          {"saved", options.output}}));
  if (options.verbose && prunes_weights(options)) {
    print("chosen in {:.2f} s\n", outcome.seconds);
  }
}

void shrink_vocabulary(const PruneFlags& options, Model& model, PruneOutcome& outcome) {
  std::vector<std::string> texts;
  for (Example& example : read_dataset(options.vocabulary, options.fields)) {
    texts.push_back(std::move(example.document));
    std::ranges::move(example.references, std::back_inserter(texts));
  }
  outcome.vocabulary = prune_vocabulary(model, texts);
}

void drop(const PruneFlags& options, Model& model, PruneOutcome& outcome,
          const GlobalOptions& global) {
  const auto kept = [](int wanted, const std::vector<LayerConfig>& layers) {
    return wanted > 0 ? wanted : static_cast<int>(layers.size());
  };
  const int encoder = kept(options.encoder_layers, model.config.encoder_layers);
  const int decoder = kept(options.decoder_layers, model.config.decoder_layers);
  if (options.drop.empty() && !options.data.empty()) {
    DatasetOptions fields = options.fields;
    fields.need_references = true;
    std::vector<Example> data = read_dataset(options.data, fields);
    if (options.limit > 0 && data.size() > options.limit) data.resize(options.limit);
    ProgressBar bar("measuring", "trials", global);
    outcome.trials = drop_by_importance(
        model, encoder, decoder, data, global.threads,
        [&bar](std::size_t done, std::size_t total) { bar.update(done, total); });
    for (const DroppedLayer& layer : outcome.trials) outcome.targets.push_back(layer.name);
    return;
  }
  outcome.targets =
      options.drop.empty() ? spread_layers(model.config, encoder, decoder) : options.drop;
  drop_layers(model, outcome.targets);
}

PruneOutcome prune(const PruneFlags& options, const GlobalOptions& global) {
  constexpr std::size_t kStages = 3;
  ProgressBar bar("pruning", "stages", global);
  bar.update(0, kStages);
  PruneOutcome outcome;
  Model model = Model::load(options.model);
  bar.update(1, kStages);
  if (!options.vocabulary.empty()) shrink_vocabulary(options, model, outcome);
  if (drops_layers(options)) drop(options, model, outcome, global);
  if (prunes_weights(options)) {
    ModelPruner pruner(model, pruning_options(options, global));
    outcome.targets = pruner.target_layers();
    const auto start = std::chrono::steady_clock::now();
    pruner.prune();
    outcome.seconds =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    if (options.permanent || options.uniform) {
      outcome.permanent = pruner.make_permanent(options.uniform);
    }
  }
  outcome.ordinary = loads_in_transformers(model.config);
  outcome.stats = get_pruning_stats(model);
  bar.update(2, kStages);
  save_checkpoint(model, options.output, stored_format(model),
                  options.format == "pairs" ? MaskStorage::pairs : MaskStorage::applied);
  save_pruning_stats(outcome.stats, std::filesystem::path(options.output) / "pruning_stats.json");
  return outcome;
}

void warn(const PruneFlags& options, const PruneOutcome& outcome) {
  if (!outcome.ordinary) {
    say("warning", options.output +
                       ": its layers have shapes that transformers cannot load; Kobolt can "
                       "(see --uniform)");
  }
  if (options.format == "pairs" && prunes_weights(options)) {
    say("warning",
        options.output +
            ": transformers' from_pretrained knows no masks and would make up the pruned "
            "matrices; docs/pruning.md shows how PyTorch reads them");
  }
}

void run(const PruneFlags& options, const GlobalOptions& global) {
  const bool permanent = options.permanent || options.uniform;
  if (permanent && options.format == "pairs") {
    throw CLI::ValidationError(options.uniform ? "--uniform" : "--permanent",
                               "leaves no masks to store: use --format masked");
  }
  if (drops_layers(options) && options.drop.empty() && options.encoder_layers == 0 &&
      options.decoder_layers == 0) {
    throw CLI::ValidationError("--method layers",
                               "needs --drop, --encoder-layers or --decoder-layers");
  }
  const PruneOutcome outcome = prune(options, global);
  if (global.json) {
    print_json(to_json(options, outcome));
  } else if (!global.quiet) {
    print_text(options, outcome);
    if (permanent) print_report(outcome.permanent, options.verbose);
  }
  if (!global.quiet) warn(options, outcome);
}

void add_options(CLI::App& command, PruneFlags& options) {
  command.add_option("model", options.model, "Hugging Face folder")->required();
  command.add_option("-o,--output", options.output, "Folder to write")->required();
  command
      .add_option(
          "--method", options.method,
          "magnitude: the smallest weights of each matrix; structured: its smallest rows or "
          "columns, or heads and ffn neurons; global: the smallest weights of all matrices "
          "together; layers: whole layers; none: only --vocab (the default with it)")
      ->check(CLI::IsMember({"magnitude", "structured", "global", "layers", "none"}))
      ->capture_default_str();
  command
      .add_option("--amount", options.amount, "Share to prune, 0 to 1, of what is not pruned yet")
      ->check(CLI::Range(0.0, 1.0).description(""))
      ->capture_default_str();
  command
      .add_option("--layers", options.layers,
                  "Which layers: 'encoder.layers.*.self_attn.*', or the end of a name, fc1; "
                  "without it every linear layer except embeddings and output projection")
      ->type_name("PATTERN ...");
  command
      .add_option(
          "--unit", options.unit,
          "channel: for structured rows or columns of each matrix, as PyTorch's ln_structured, for "
          "global single weights; whole: attention heads and ffn neurons, which --permanent "
          "removes")
      ->check(CLI::IsMember({"channel", "whole"}))
      ->capture_default_str();
  command
      .add_option("--dim", options.dim,
                  "For channels: 0 = output neurons (rows), 1 = inputs (columns)")
      ->check(CLI::IsMember({0, 1}))
      ->capture_default_str();
  command.add_option("--norm", options.norm, "For structured: the norm of a row or column")
      ->check(CLI::IsMember({"1", "2", "inf"}))
      ->capture_default_str();
  command
      .add_option("--drop", options.drop,
                  "For layers: which to drop, such as decoder.layers.1 decoder.layers.3")
      ->type_name("NAME ...");
  command
      .add_option("--encoder-layers", options.encoder_layers,
                  "For layers: how many to keep, spread evenly; 0 = all")
      ->check(CLI::NonNegativeNumber.description(""))
      ->type_name("N");
  command
      .add_option("--decoder-layers", options.decoder_layers,
                  "For layers: how many to keep, spread evenly; 0 = all")
      ->check(CLI::NonNegativeNumber.description(""))
      ->type_name("N");
  command
      .add_option("--data", options.data,
                  "For layers: drop those first without which summaries of this data set keep the "
                  "best ROUGE-L, instead of spreading")
      ->type_name("FILE");
  command.add_option("--limit", options.limit, "Only the first N documents of --data; 0 = all")
      ->capture_default_str()
      ->type_name("N");
  command
      .add_option("--vocab", options.vocabulary,
                  "Take tokens out of the vocabulary that no text of this data set has, documents "
                  "and summaries")
      ->type_name("FILE");
  command
      .add_option("--document-field", options.fields.document_field,
                  "Field of the document, in --data and --vocab")
      ->capture_default_str();
  command.add_option("--summary-field", options.fields.summary_field, "Field of the summary")
      ->capture_default_str();
  command
      .add_option("--format", options.format,
                  "masked: zeros in an ordinary checkpoint; pairs: weight_orig and weight_mask, "
                  "which can be undone and which PyTorch's pruning module reads")
      ->check(CLI::IsMember({"masked", "pairs"}))
      ->capture_default_str();
  command.add_flag("--permanent", options.permanent,
                   "Remove for good what can be removed, and make the rest zero");
  command.add_flag("--uniform", options.uniform,
                   "Permanent, but only what leaves a model that transformers loads: the same ffn "
                   "size for all layers of a side, every head in place");
  command.add_flag("--force", options.force,
                   "Prune embeddings, the output projection and permanently pruned models too");
  command.add_flag("--verbose", options.verbose, "List every pruned layer");
}

}  // namespace

void add_prune(CLI::App& app, const GlobalOptions& global) {
  CLI::App& command =
      add_command(app, "prune", "Remove the weights that matter least, and say what that saves.",
                  "kobolt prune my-kobart -o sparse --method global --amount 0.4\n"
                  "kobolt prune my-kobart -o small --method structured --unit whole --permanent\n"
                  "kobolt prune my-kobart -o shallow --method layers --decoder-layers 3\n"
                  "kobolt prune my-kobart -o fewer-tokens --vocab corpus.jsonl\n"
                  "kobolt prune my-kobart -o masks --amount 0.3 --layers fc1 fc2 --format pairs\n"
                  "kobolt prune my-kobart -o pruned --config configs/inference/pruning.yaml");
  const auto options = std::make_shared<PruneFlags>();
  add_options(command, *options);
  command.callback([options, &command, &global] {
    if (!options->vocabulary.empty() && command.count("--method") == 0) options->method = "none";
    run(*options, global);
  });
}

}  // namespace kobolt::cli
