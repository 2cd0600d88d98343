#include "cli/summary_score.h"

#include <utility>

#include "kobolt/summarizer.h"

namespace kobolt::cli {

SummaryScore::SummaryScore(std::span<const Example> examples) {
  for (const Example& example : examples) {
    documents_.push_back(example.document);
    references_.push_back(example.references);
  }
}

double SummaryScore::rouge_l(const std::filesystem::path& engine, int threads,
                             const std::function<void(std::size_t)>& progress) const {
  Summarizer summarizer(engine, {.threads = threads});
  SummarizeOptions options{.generation = summarizer.generation()};
  if (progress) {
    options.progress = [&progress](const Progress& done) { progress(done.done); };
  }
  std::vector<std::string> summaries;
  for (Summary& summary : summarizer.summarize(documents_, options)) {
    summaries.push_back(std::move(summary.text));
  }
  return rouge(summaries, references_, {.bootstrap_samples = 0}).rougeL.mid.f;
}

}  // namespace kobolt::cli
