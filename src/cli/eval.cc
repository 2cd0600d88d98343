#include <fmt/format.h>

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "cli/commands.h"
#include "cli/engine_flags.h"
#include "cli/generation_flags.h"
#include "cli/long_document_flag.h"
#include "cli/output.h"
#include "cli/precision_flags.h"
#include "cli/predictions.h"
#include "cli/progress.h"
#include "cli/rouge_report.h"
#include "kobolt/benchmark.h"
#include "kobolt/evaluate.h"
#include "kobolt/summarizer.h"

namespace kobolt::cli {
namespace {

struct EvalFlags {
  std::string model;
  std::string data;
  DatasetOptions fields;
  std::size_t limit = 0;
  std::string rouge_tokens = "unicode";
  RougeOptions rouge;
  std::string predictions;
  std::string score_only;
  PrecisionFlags precision;
  EngineFlags engine;
  LongDocumentFlag long_documents;
  int max_rows = SummarizeOptions{}.max_rows;
  GenerationFlags generation;
};

// What is scored and, when a model made it, how.
// NOLINTNEXTLINE(bugprone-exception-escape): Json moves without throwing
struct Outcome {
  std::vector<std::string> predictions;
  double seconds = 0;
  std::size_t truncated = 0;
  Json model = nullptr;  // settings
};

void add_options(CLI::App& command, EvalFlags& options) {
  command.add_option("model", options.model, "Engine file or Hugging Face folder");
  command
      .add_option("--data", options.data, "Documents with references: .jsonl, .json, .csv, .tsv")
      ->required();
  command.add_option("--document-field", options.fields.document_field, "Field of the document")
      ->capture_default_str();
  command
      .add_option("--summary-field", options.fields.summary_field,
                  "Field of the reference, or list of references")
      ->capture_default_str();
  command.add_option("--id-field", options.fields.id_field, "Field of the id")
      ->capture_default_str();
  command.add_option("--limit", options.limit, "Only the first N documents; 0 = all")
      ->type_name("N");
  command
      .add_option("--rouge-tokens", options.rouge_tokens,
                  "unicode: words of any script; ascii: as rouge-score; char: letters")
      ->check(CLI::IsMember({"unicode", "ascii", "char"}))
      ->capture_default_str();
  command.add_flag("--stemmer", options.rouge.stemmer,
                   "Compare stems of English words, as rouge-score's use_stemmer");
  command
      .add_option("--bootstrap", options.rouge.bootstrap_samples,
                  "Samples for the interval; 0 = no interval")
      ->check(CLI::Range(0, 1'000'000))
      ->capture_default_str()
      ->type_name("N");
  command.add_option("--bootstrap-seed", options.rouge.seed, "Seed of the samples")
      ->capture_default_str()
      ->type_name("N");
  command
      .add_option("--predictions", options.predictions,
                  "Write id, summary, tokens, score and reference of each document as JSON lines")
      ->type_name("FILE");
  auto* score_only = command.add_option(
      "--score-only", options.score_only,
      "Score the summaries of this file (id and summary, or a line each) without a model");
  score_only->type_name("FILE");
  score_only->excludes("--predictions");
  options.engine.add(command);
  options.precision.add(command, "For a folder, how to compile it in memory");
  options.long_documents.add(command);
  command
      .add_option("--max-rows", options.max_rows,
                  "Most beams decoded in one step, over all documents: memory against speed")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  options.generation.add(command);
}

Outcome read_predictions(const EvalFlags& options, std::span<const Example> data) {
  // A prediction is the "document" of its file; an empty line is an empty summary.
  const auto predictions = read_dataset(options.score_only, {.document_field = "summary",
                                                             .summary_field = {},
                                                             .id_field = options.fields.id_field,
                                                             .blank_lines = true});
  return {.predictions = matched_predictions(predictions, data, options.score_only)};
}

Outcome make_predictions(const EvalFlags& options, std::span<const Example> data,
                         const GlobalOptions& global) {
  std::optional<PredictionsFile> file;
  if (!options.predictions.empty()) file.emplace(options.predictions);
  Summarizer summarizer(options.model, options.engine.options(global.threads),
                        options.precision.options());
  SummarizeOptions settings{.generation = options.generation.apply(summarizer.generation()),
                            .long_documents = options.long_documents.value(),
                            .max_rows = options.max_rows};
  std::vector<std::string> documents;
  documents.reserve(data.size());
  for (const Example& example : data) documents.push_back(example.document);

  Outcome outcome;
  std::vector<Summary> summaries;
  {
    ProgressBar bar("summarising", "documents", global);
    settings.progress = [&bar](const Progress& progress) {
      bar.update(progress.done, progress.total);
    };
    const auto start = std::chrono::steady_clock::now();
    summaries = summarizer.summarize(documents, settings);
    outcome.seconds =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  }
  for (std::size_t i = 0; i < summaries.size(); ++i) {
    if (file) file->add(data[i], summaries[i]);
    outcome.predictions.push_back(summaries[i].text);
    if (summaries[i].truncated) ++outcome.truncated;
  }
  if (file) file->commit();
  if (outcome.truncated > 0 && !global.quiet) {
    say("warning", fmt::format("{} of {} documents were longer than the model's {} positions and "
                               "lost their end (see --long)",
                               outcome.truncated, data.size(), summarizer.config().max_positions));
  }
  outcome.model = {{"precision", name_of(summarizer.precision())},
                   {"threads", summarizer.threads()},
                   {"kv_cache", name_of(summarizer.kv_cache())},
                   {"instruction_set", summarizer.instruction_set()},
                   {"source_hash", summarizer.provenance().source_hash},
                   {"long", options.long_documents.text()},
                   {"generation", to_json(settings.generation)}};
  return outcome;
}

void print_result(const EvalFlags& options, const Outcome& outcome, const RougeReport& report,
                  const GlobalOptions& global) {
  const std::size_t count = report.documents.size();
  const bool timed = options.score_only.empty();
  const double speed = outcome.seconds > 0 ? static_cast<double>(count) / outcome.seconds : 0;
  if (global.json) {
    Json json{{"model", timed ? Json(options.model) : Json(nullptr)},
              {"predictions", timed ? Json(nullptr) : Json(options.score_only)},
              {"data", options.data},
              {"documents", count}};
    if (timed) {
      json["truncated"] = outcome.truncated;
      json["seconds"] = outcome.seconds;
      json["documents_per_second"] = speed;
      json["peak_memory"] = peak_memory();
    }
    json["rouge"] = rouge_json(report, options.rouge);
    json["settings"] = rouge_settings(options.rouge);
    if (timed) json["settings"].update(outcome.model);
    print_json(json);
    return;
  }
  print("{}", rouge_table(report, options.rouge));
  print("{} documents", count);
  if (timed) print(", {:.1f} s, {:.1f} documents/s", outcome.seconds, speed);
  print("; tokens: {}{}\n", options.rouge_tokens, options.rouge.stemmer ? ", stemmed" : "");
}

void run(EvalFlags options, const GlobalOptions& global) {
  if (options.model.empty() == options.score_only.empty()) {
    throw CLI::ValidationError("eval", "needs a model, or --score-only FILE instead of one");
  }
  options.rouge.tokens = rouge_tokens_from_name(options.rouge_tokens);
  options.fields.need_references = true;
  options.fields.need_document = options.score_only.empty();
  std::vector<Example> data = read_dataset(options.data, options.fields);
  if (options.limit > 0 && data.size() > options.limit) data.resize(options.limit);

  const Outcome outcome = options.score_only.empty() ? make_predictions(options, data, global)
                                                     : read_predictions(options, data);
  std::vector<std::vector<std::string>> references;
  references.reserve(data.size());
  for (Example& example : data) references.push_back(std::move(example.references));
  print_result(options, outcome, rouge(outcome.predictions, references, options.rouge), global);
}

}  // namespace

void add_eval(CLI::App& app, const GlobalOptions& global) {
  CLI::App& command = add_command(
      app, "eval", "Summarise a data set and score the summaries by ROUGE against its references.",
      "kobolt eval kobart.kobolt --data dev.jsonl --predictions out.jsonl\n"
      "kobolt eval my-kobart --data news.csv --document-field text --summary-field headline\n"
      "kobolt eval --score-only out.jsonl --data dev.jsonl --rouge-tokens char");
  const auto options = std::make_shared<EvalFlags>();
  add_options(command, *options);
  command.callback([options, &global] { run(*options, global); });
}

}  // namespace kobolt::cli
