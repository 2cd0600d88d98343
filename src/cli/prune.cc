#include "kobolt/prune.h"

#include <algorithm>
#include <chrono>
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
#include "cli/prune_data.h"
#include "cli/prune_flags.h"
#include "cli/prune_report.h"
#include "cli/prune_sweep.h"
#include "cli/unit_timing.h"
#include "kobolt/evaluate.h"

namespace kobolt::cli {
namespace {

PruningOptions pruning_options(const PruneFlags& options, const GlobalOptions& global) {
  return {.method = pruning_method_from_name(options.method),
          .amount = options.amount,
          .pattern = pruning_pattern_from_name(options.pattern),
          .score = pruning_score_from_name(options.score),
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
    const std::vector<Example> data =
        read_examples(options.data, options.fields, options.limit, true);
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

void measure_for_score(const PruneFlags& options, Model& model, PruningOptions& chosen,
                       const GlobalOptions& global) {
  const auto examples = [&](bool need_references) {
    return read_examples(options.data, options.fields, options.limit, need_references);
  };
  if (chosen.score == PruningScore::wanda) {
    chosen.input_norms = calibrate(model, examples(false), global);
  } else if (chosen.score == PruningScore::taylor) {
    chosen.weight_gradients = differentiate(model, examples(true), chosen.targets, global);
  }
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
    PruningOptions chosen = pruning_options(options, global);
    measure_for_score(options, model, chosen, global);
    if (prunes_by_time(options)) {
      outcome.timing = time_units(model, chosen, precision_from_name(options.precision), global);
      chosen.unit_costs = outcome.timing.costs;
    }
    ModelPruner pruner(model, std::move(chosen));
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
  if (options.score == "wanda" && options.data.empty()) {
    throw CLI::ValidationError("--score wanda", "needs --data, documents to calibrate with");
  }
  if (options.score == "taylor" && options.data.empty()) {
    throw CLI::ValidationError("--score taylor", "needs --data, documents with summaries");
  }
  if (prunes_by_time(options) && (options.method != "global" || options.unit != "whole")) {
    throw CLI::ValidationError("--budget time", "is for --method global --unit whole");
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

}  // namespace

void add_prune(CLI::App& app, const GlobalOptions& global) {
  CLI::App& command =
      add_command(app, "prune", "Remove the weights that matter least, and say what that saves.",
                  "kobolt prune my-kobart -o sparse --method global --amount 0.4\n"
                  "kobolt prune my-kobart -o fast --method global --pattern 16x1 --amount 0.4\n"
                  "kobolt prune my-kobart -o sparse --method row --score wanda --data train.jsonl\n"
                  "kobolt prune my-kobart -o sparse --method global --score taylor --data "
                  "train.jsonl\n"
                  "kobolt prune my-kobart -o small --method structured --unit whole --permanent\n"
                  "kobolt prune my-kobart -o faster --method global --unit whole --budget time "
                  "--permanent\n"
                  "kobolt prune my-kobart -o shallow --method layers --decoder-layers 3\n"
                  "kobolt prune my-kobart -o fewer-tokens --vocab corpus.jsonl\n"
                  "kobolt prune my-kobart -o sweep --sweep 0,0.1,...,0.6 --data dev.jsonl\n"
                  "kobolt prune my-kobart -o masks --amount 0.3 --layers fc1 fc2 --format pairs\n"
                  "kobolt prune my-kobart -o pruned --config configs/inference/pruning.yaml");
  const auto options = std::make_shared<PruneFlags>();
  add_options(command, *options);
  command.callback([options, &command, &global] {
    if (!options->sweep.empty()) return run_sweep(*options, global);
    if (!options->vocabulary.empty() && command.count("--method") == 0) options->method = "none";
    run(*options, global);
  });
}

}  // namespace kobolt::cli
