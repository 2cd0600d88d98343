#include "cli/evaluated.h"

#include <fmt/format.h>

#include <utility>

#include "cli/predictions.h"
#include "cli/progress.h"
#include "cli/stopwatch.h"

namespace kobolt::cli {
namespace {

std::vector<Summary> summarize_all(Summarizer& summarizer, std::span<const std::string> documents,
                                   SummarizeOptions settings, const char* work,
                                   const GlobalOptions& global) {
  ProgressBar bar(work, "documents", global);
  settings.progress = [&bar](const Progress& progress) {
    bar.update(progress.done, progress.total);
  };
  return summarizer.summarize(documents, settings);
}

}  // namespace

Evaluated summarize_data(Summarizer& summarizer, const std::string& path,
                         std::span<const Example> data, SummaryRun run,
                         const GlobalOptions& global) {
  std::vector<std::string> documents;
  documents.reserve(data.size());
  for (const Example& example : data) documents.push_back(example.document);

  Evaluated result{.path = path, .made_here = true};
  for (int pass = 0; pass < run.warmup; ++pass) {
    summarize_all(summarizer, documents, run.settings, "warming up", global);
  }
  const Stopwatch watch;
  std::vector<Summary> summaries =
      summarize_all(summarizer, documents, run.settings, "summarising", global);
  result.seconds = watch.seconds();
  for (std::size_t i = 0; i < summaries.size(); ++i) {
    if (run.keep) run.keep(data[i], summaries[i]);
    result.summaries.push_back(std::move(summaries[i].text));
    if (summaries[i].truncated) ++result.truncated;
  }
  if (result.truncated > 0 && !global.quiet) {
    say("warning", fmt::format("{} of {} documents were longer than the model's {} positions and "
                               "lost their end (see --long)",
                               result.truncated, data.size(), summarizer.config().max_positions));
  }
  result.settings = {{"precision", name_of(summarizer.precision())},
                     {"threads", summarizer.threads()},
                     {"kv_cache", name_of(summarizer.kv_cache())},
                     {"instruction_set", summarizer.instruction_set()},
                     {"source_hash", summarizer.provenance().source_hash},
                     {"long", run.long_documents},
                     {"warmup", run.warmup},
                     {"generation", to_json(run.settings.generation)}};
  return result;
}

Evaluated read_summaries(const std::string& path, std::span<const Example> data,
                         const std::string& id_field) {
  // A prediction is the "document" of its file; an empty line is an empty summary.
  const auto predictions = read_dataset(path, {.document_field = "summary",
                                               .summary_field = {},
                                               .id_field = id_field,
                                               .blank_lines = true});
  return {.path = path, .summaries = matched_predictions(predictions, data, path)};
}

}  // namespace kobolt::cli
