#include <fmt/format.h>

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cli/artifact.h"
#include "cli/commands.h"
#include "cli/engine_flags.h"
#include "cli/evaluated.h"
#include "cli/gate_report.h"
#include "cli/generation_flags.h"
#include "cli/long_document_flag.h"
#include "cli/output.h"
#include "cli/precision_flags.h"
#include "cli/predictions.h"
#include "cli/rouge_report.h"
#include "cli/share.h"
#include "kobolt/benchmark.h"
#include "kobolt/evaluate.h"
#include "kobolt/gate.h"
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
  std::string against;
  std::string keep = "99%";
  PrecisionFlags precision;
  EngineFlags engine;
  LongDocumentFlag long_documents;
  int max_rows = SummarizeOptions{}.max_rows;
  int warmup = 0;
  GenerationFlags generation;
};

using References = std::vector<std::vector<std::string>>;

void add_options(CLI::App& command, EvalFlags& options) {
  command.add_option("model", options.model, kRunnableKinds);
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
  command
      .add_option("--warmup", options.warmup,
                  "Times to summarise the documents before the clock starts; with 0 the seconds "
                  "include the first touch of the weights and of all other memory")
      ->check(CLI::Range(0, 1'000'000))
      ->excludes(score_only)
      ->capture_default_str()
      ->type_name("N");
  const char* gate = "Gate: is enough of a baseline's quality left? Exit status 3 where not";
  auto* against = command.add_option("--against", options.against,
                                     "The baseline: an engine file, a Hugging Face folder (run in "
                                     "fp32) or a file of --predictions");
  against->type_name("BASELINE")->group(gate);
  command
      .add_option("--keep", options.keep,
                  "Share of the baseline's ROUGE-1, -2 and -L that must be left, each")
      ->check(CLI::Validator(
          [](const std::string& text) {
            return share_from_text(text) ? std::string()
                                         : "'" + text + "' is no share; write 99% or 0.99";
          },
          "SHARE"))
      ->needs(against)
      ->capture_default_str()
      ->group(gate);
  options.engine.add(command);
  options.precision.add(command, "For a folder, how to compile it in memory");
  options.long_documents.add(command);
  command
      .add_option(
          "--max-rows", options.max_rows,
          "Most beams decoded in one step, over all documents: memory against speed. With many "
          "documents each of up to 8 threads takes steps of its own")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  options.generation.add(command);
}

SummaryRun summary_run(const EvalFlags& options, const Summarizer& summarizer) {
  return {.settings = {.generation = options.generation.apply(summarizer.generation()),
                       .long_documents = options.long_documents.value(),
                       .max_rows = options.max_rows},
          .long_documents = options.long_documents.text(),
          .warmup = options.warmup};
}

Evaluated evaluate_model(const EvalFlags& options, const std::vector<Example>& data,
                         const GlobalOptions& global) {
  std::optional<PredictionsFile> file;
  if (!options.predictions.empty()) file.emplace(options.predictions);
  Summarizer summarizer(options.model, options.engine.options(global.threads),
                        options.precision.options());
  SummaryRun run = summary_run(options, summarizer);
  if (file) {
    run.keep = [&file](const Example& example, const Summary& summary) {
      file->add(example, summary);
    };
  }
  Evaluated result = summarize_data(summarizer, options.model, data, std::move(run), global);
  if (file) file->commit();
  return result;
}

// A checkpoint is a baseline in the precision that loses nothing, with the cache that goes with it.
Evaluated evaluate_baseline(const EvalFlags& options, const std::vector<Example>& data,
                            const GlobalOptions& global) {
  const Artifact artifact = artifact_of(options.against);
  if (artifact == Artifact::other) {
    return read_summaries(options.against, data, options.fields.id_field);
  }
  require_runnable(options.against);
  Summarizer summarizer(options.against, {.threads = global.threads});
  return summarize_data(summarizer, options.against, data, summary_run(options, summarizer),
                        global);
}

struct Gate {
  std::string baseline;
  GateOptions options;
  GateReport report;
};

Gate judge(const EvalFlags& options, const Evaluated& baseline, const Evaluated& result,
           const RougeReport& rouge_report, const References& references) {
  Gate gate{.baseline = baseline.path,
            .options = {.keep = share_from_text(options.keep).value_or(1),
                        .bootstrap_samples = options.rouge.bootstrap_samples,
                        .confidence = options.rouge.confidence,
                        .seed = options.rouge.seed}};
  RougeOptions scores_only = options.rouge;
  scores_only.bootstrap_samples = 0;
  const RougeReport other = rouge(baseline.summaries, references, scores_only);
  gate.report = check_gate({baseline.summaries, other.documents},
                           {result.summaries, rouge_report.documents}, gate.options);
  return gate;
}

double mean_reference_length(const References& references) {
  std::vector<std::string> all;
  for (const auto& of_document : references) {
    all.insert(all.end(), of_document.begin(), of_document.end());
  }
  return mean_length(all);
}

Json result_json(const EvalFlags& options, const Evaluated& result, const RougeReport& report,
                 double reference_length) {
  const bool made = result.made_here;
  const std::size_t count = report.documents.size();
  Json json{{"model", made ? Json(options.model) : Json(nullptr)},
            {"predictions", made ? Json(nullptr) : Json(options.score_only)},
            {"data", options.data},
            {"documents", count}};
  if (made) {
    json["truncated"] = result.truncated;
    json["seconds"] = result.seconds;
    json["documents_per_second"] =
        result.seconds > 0 ? static_cast<double>(count) / result.seconds : 0;
    json["peak_memory"] = peak_memory();
  }
  json["length"] = {{"mean", mean_length(result.summaries)}, {"references", reference_length}};
  json["rouge"] = rouge_json(report, options.rouge);
  json["settings"] = rouge_settings(options.rouge);
  if (made) json["settings"].update(result.settings);
  return json;
}

void print_text(const EvalFlags& options, const Evaluated& result, const RougeReport& report,
                double reference_length) {
  const std::size_t count = report.documents.size();
  print("{}", rouge_table(report, options.rouge));
  print("{} documents", count);
  if (result.made_here && result.seconds > 0) {
    print(", {:.1f} s, {:.1f} documents/s", result.seconds,
          static_cast<double>(count) / result.seconds);
  }
  print("; mean length {:.1f} characters, of the references {:.1f}", mean_length(result.summaries),
        reference_length);
  print("; tokens: {}{}\n", options.rouge_tokens, options.rouge.stemmer ? ", stemmed" : "");
}

void run(EvalFlags options, const GlobalOptions& global) {
  if (options.model.empty() == options.score_only.empty()) {
    throw CLI::ValidationError("eval", "needs a model, or --score-only FILE instead of one");
  }
  options.rouge.tokens = rouge_tokens_from_name(options.rouge_tokens);
  options.fields.need_references = true;
  const bool runs_baseline =
      !options.against.empty() && artifact_of(options.against) != Artifact::other;
  options.fields.need_document = options.score_only.empty() || runs_baseline;
  std::vector<Example> data = read_dataset(options.data, options.fields);
  if (options.limit > 0 && data.size() > options.limit) data.resize(options.limit);

  // The baseline first: what it lacks should not cost the run of the model.
  std::optional<Evaluated> baseline;
  if (!options.against.empty()) baseline = evaluate_baseline(options, data, global);
  const Evaluated result = options.score_only.empty()
                               ? evaluate_model(options, data, global)
                               : read_summaries(options.score_only, data, options.fields.id_field);
  References references;
  references.reserve(data.size());
  for (Example& example : data) references.push_back(std::move(example.references));
  const RougeReport report = rouge(result.summaries, references, options.rouge);
  const double reference_length = mean_reference_length(references);
  std::optional<Gate> gate;
  if (baseline) gate = judge(options, *baseline, result, report, references);

  if (global.json) {
    Json json = result_json(options, result, report, reference_length);
    if (gate) {
      json["gate"] = gate_json(gate->report, gate->options);
      json["gate"]["baseline"] = gate->baseline;
      if (baseline->made_here) json["gate"]["baseline_settings"] = baseline->settings;
    }
    print_json(json);
  } else {
    print_text(options, result, report, reference_length);
    if (gate) print("\nagainst {}\n{}", gate->baseline, gate_table(gate->report, gate->options));
  }
  if (gate && !gate->report.passed) throw GateFailed(gate_failure(gate->report));
}

}  // namespace

void add_eval(CLI::App& app, const GlobalOptions& global) {
  CLI::App& command = add_command(
      app, "eval", "Summarise a data set and score the summaries by ROUGE against its references.",
      "kobolt eval kobart.kobolt --data dev.jsonl --predictions out.jsonl\n"
      "kobolt eval my-kobart --data news.csv --document-field text --summary-field headline\n"
      "kobolt eval --score-only out.jsonl --data dev.jsonl --rouge-tokens char\n"
      "kobolt eval int8.kobolt --data dev.jsonl --against my-kobart --keep 99%  # a build's gate");
  const auto options = std::make_shared<EvalFlags>();
  add_options(command, *options);
  command.callback([options, &global] { run(*options, global); });
}

}  // namespace kobolt::cli
