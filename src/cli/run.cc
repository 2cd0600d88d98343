#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "cli/artifact.h"
#include "cli/commands.h"
#include "cli/engine_flags.h"
#include "cli/generation_flags.h"
#include "cli/long_document_flag.h"
#include "cli/output.h"
#include "cli/precision_flags.h"
#include "cli/progress.h"
#include "kobolt/evaluate.h"
#include "kobolt/summarizer.h"

namespace kobolt::cli {
namespace {

struct RunFlags {
  std::string model;
  std::vector<std::string> files;
  PrecisionFlags precision;
  EngineFlags engine;
  LongDocumentFlag long_documents;
  std::string field = "document";
  std::string id_field = "id";
  int max_rows = SummarizeOptions{}.max_rows;
  GenerationFlags generation;
};

Json summary_line(const std::string& id, const Summary& summary) {
  Json json = {
      {"id", id}, {"summary", summary.text}, {"tokens", summary.tokens}, {"score", summary.score}};
  if (summary.truncated) json["truncated"] = true;
  for (const Summary& alternative : summary.alternatives) {
    json["alternatives"].push_back({{"summary", alternative.text},
                                    {"tokens", alternative.tokens},
                                    {"score", alternative.score}});
  }
  return json;
}

void run(const RunFlags& options, const GlobalOptions& global) {
  Summarizer summarizer(options.model, options.engine.options(global.threads),
                        options.precision.options());
  std::vector<Example> examples;
  for (const std::string& file : options.files) {
    auto part = read_dataset(file, {.document_field = options.field, .id_field = options.id_field});
    std::ranges::move(part, std::back_inserter(examples));
  }
  std::vector<std::string> documents;
  documents.reserve(examples.size());
  for (Example& example : examples) documents.push_back(std::move(example.document));

  SummarizeOptions settings{.generation = options.generation.apply(summarizer.generation()),
                            .long_documents = options.long_documents.value(),
                            .max_rows = options.max_rows};
  std::vector<Summary> summaries;
  {
    ProgressBar bar("summarising", "documents", global);
    settings.progress = [&](const Progress& progress) {
      bar.update(progress.done, progress.total);
    };
    summaries = summarizer.summarize(documents, settings);
  }

  const auto truncated = std::ranges::count_if(summaries, &Summary::truncated);
  if (truncated > 0 && !global.quiet) {
    say("warning", fmt::format("{} of {} documents were longer than the model's {} positions and "
                               "lost their end (see --long)",
                               truncated, summaries.size(), summarizer.config().max_positions));
  }
  for (std::size_t i = 0; i < summaries.size(); ++i) {
    if (global.json) {
      print_json_line(summary_line(examples[i].id, summaries[i]));
      continue;
    }
    // A line a document: what follows in a pipe counts on it.
    std::ranges::replace(summaries[i].text, '\n', ' ');
    print("{}\n", summaries[i].text);
  }
}

}  // namespace

void add_run(CLI::App& app, const GlobalOptions& global) {
  CLI::App& command = add_command(
      app, "run", "Summarise documents: text lines, JSONL, JSON or CSV in, a summary a line out.",
      "echo 'A long text ...' | kobolt run kobart.kobolt\n"
      "kobolt run kobart.kobolt dialogues.jsonl --field document --json > summaries.jsonl\n"
      "kobolt run my-kobart news.csv --precision int8 --beams 5 --no-repeat-ngram-size 3 "
      "--max-new-tokens 60");
  const auto options = std::make_shared<RunFlags>();
  options->files = {"-"};
  command.add_option("model", options->model, kRunnableKinds)->required();
  command.add_option("files", options->files,
                     "Documents: .jsonl, .json, .csv, .tsv, or text with a document a line; "
                     "- is standard input (the default)");
  command.add_option("--field", options->field, "Field that holds the document")
      ->capture_default_str();
  command.add_option("--id-field", options->id_field, "Field that names a document in --json")
      ->capture_default_str();
  options->engine.add(command);
  options->precision.add(command, "For a folder, how to compile it in memory");
  options->long_documents.add(command);
  command
      .add_option(
          "--max-rows", options->max_rows,
          "Most beams decoded in one step, over all documents: memory against speed. With many "
          "documents each of up to 8 threads takes steps of its own")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  options->generation.add(command);
  command.callback([options, &global] { run(*options, global); });
}

}  // namespace kobolt::cli
