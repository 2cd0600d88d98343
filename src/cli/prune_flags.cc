#include "cli/prune_flags.h"

#include <string>

#include "cli/sweep_amounts.h"
#include "cli/validators.h"
#include "kobolt/pruning_recipe.h"

namespace kobolt::cli {

void add_options(CLI::App& command, PruneFlags& options) {
  command.add_option("model", options.model, "Hugging Face folder")->required();
  command.add_option("-o,--output", options.output, "Folder to write; of a sweep, to go on with")
      ->required();
  command
      .add_option(
          "--method", options.method,
          "magnitude: the smallest weights of each matrix; structured: its smallest rows or "
          "columns, or heads and ffn neurons; global: the smallest weights of all matrices "
          "together; row: the smallest weights of each row of each matrix; layers: whole layers; "
          "none: only --vocab (the default with it)")
      ->check(CLI::IsMember({"magnitude", "structured", "global", "row", "layers", "none"}))
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
          "--pattern", options.pattern,
          "Where magnitude, global and row put zeros. free: anywhere; 16x1: 16 neighbouring "
          "outputs lose an input together, which makes engines of this project faster; n:m: "
          "of every m inputs n are left, 2:4 for GPUs, whatever --amount says")
      ->check(without_error([](const std::string& text) { (void)pruning_pattern_from_name(text); }))
      ->type_name("free|16x1|n:m")
      ->capture_default_str();
  command
      .add_option("--score", options.score,
                  "How small weights are told, heads and neurons by all of theirs. magnitude: by "
                  "their absolute "
                  "value; wanda: times the norm of their input over the documents of --data, which "
                  "are summarised first (arXiv 2306.11695 compares within each row); taylor: times "
                  "the derivative of the loss by them, over the documents and summaries of --data: "
                  "what the loss would change by without a weight, to first order (arXiv "
                  "1906.10771)")
      ->check(CLI::IsMember({"magnitude", "wanda", "taylor"}))
      ->capture_default_str();
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
  command
      .add_option("--norm", options.norm,
                  "For structured and 16x1: the norm of a row, column or block")
      ->check(CLI::IsMember({"1", "2", "inf"}))
      ->capture_default_str();
  command
      .add_option(
          "--budget", options.budget,
          "For global with whole units, what --amount is a share of. params: the parameters "
          "of heads and ffn neurons; time: that of a document of 512 tokens, 64 tokens out, "
          "by an engine of --precision, measured here first")
      ->check(CLI::IsMember({"params", "time"}))
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
      .add_option(
          "--data", options.data,
          "For wanda: the documents to calibrate with. For taylor: with their summaries. For "
          "--sweep: documents and summaries to measure with. For layers: drop those first without "
          "which summaries of this data set keep the best ROUGE-L, instead of spreading")
      ->type_name("FILE");
  command
      .add_option("--limit", options.limit,
                  "Only the first N documents of --data and --calibration; 0 = all")
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
  command
      .add_option(
          "--sweep", options.sweep,
          "Measure instead of writing a model: prune to each of these amounts by each of "
          "--sweep-methods, and write to -o what it costs and gains, as a table (JSON, CSV, "
          "Markdown) and a plot (SVG). A sweep that was stopped goes on where it was")
      ->check(without_error([](const std::string& text) { (void)sweep_amounts(text); }))
      ->type_name("0,0.1,...,0.6");
  command
      .add_option("--sweep-methods", options.sweep_methods,
                  "For --sweep: METHOD with what it takes: +16x1, +wanda, +taylor, +whole; or "
                  "encoder-layers, decoder-layers")
      ->check(without_error([](const std::string& text) { (void)pruning_recipe_from_name(text); }))
      ->type_name("METHOD ...")
      ->capture_default_str();
  command
      .add_option("--precision", options.precision, "For --sweep and --budget time: of the engines")
      ->check(CLI::IsMember({"fp32", "fp16", "bf16", "int8", "int4"}))
      ->capture_default_str();
  command
      .add_option(
          "--sparse", options.sparse,
          "For --sweep: how the engines store zeros, as of kobolt compile; small takes time "
          "for smaller files")
      ->check(CLI::IsMember({"auto", "small", "off"}))
      ->capture_default_str();
  command
      .add_option("--calibration", options.calibration,
                  "For --sweep: documents that wanda and taylor calibrate with; those of --data "
                  "without it")
      ->type_name("FILE");
  command.add_flag("--verbose", options.verbose, "List every pruned layer");
}

bool prunes_by_time(const PruneFlags& options) { return options.budget == "time"; }

bool drops_layers(const PruneFlags& options) { return options.method == "layers"; }

bool prunes_weights(const PruneFlags& options) {
  return options.method != "layers" && options.method != "none";
}

}  // namespace kobolt::cli
