#include "cli/summary_score.h"

#include <utility>

namespace kobolt::cli {

SummaryScore::SummaryScore(std::span<const Example> examples) {
  for (const Example& example : examples) {
    documents_.push_back(example.document);
    references_.push_back(example.references);
  }
}

double SummaryScore::rouge_l(Summarizer& engine,
                             const std::function<void(std::size_t)>& progress) const {
  SummarizeOptions options{.generation = engine.generation()};
  if (progress) {
    options.progress = [&progress](const Progress& done) { progress(done.done); };
  }
  std::vector<std::string> summaries;
  for (Summary& summary : engine.summarize(documents_, options)) {
    summaries.push_back(std::move(summary.text));
  }
  return rouge(summaries, references_, {.bootstrap_samples = 0}).rougeL.mid.f;
}

}  // namespace kobolt::cli
