#include "optimize/judge.h"

#include <algorithm>

namespace kobolt {

Judge::Judge(const OptimizeOptions& options, const SummaryMap& baseline)
    : options_(options), baseline_(baseline) {}

Judge::Scored Judge::score(const SummaryMap& summaries,
                           std::span<const std::size_t> documents) const {
  const RougeOptions rouge_options{.tokens = options_.rouge_tokens, .bootstrap_samples = 0};
  Scored scored;
  for (const std::size_t document : documents) {
    scored.summaries.push_back(summaries.at(document));
    scored.scores.push_back(
        rouge(scored.summaries.back(), options_.data[document].references, rouge_options));
  }
  return scored;
}

GateReport Judge::compare(const SummaryMap& candidate,
                          std::span<const std::size_t> documents) const {
  const Scored first = score(baseline_, documents);
  const Scored second = score(candidate, documents);
  return check_gate({first.summaries, first.scores}, {second.summaries, second.scores},
                    {.keep = options_.targets.keep.value_or(GateOptions{}.keep),
                     .keep_length = options_.keep_length,
                     .seed = options_.seed});
}

double Judge::fidelity(const SummaryMap& candidate, std::span<const std::size_t> documents) const {
  const RougeOptions rouge_options{.tokens = options_.rouge_tokens, .bootstrap_samples = 0};
  double sum = 0;
  for (const std::size_t document : documents) {
    const std::string& same = baseline_.at(document);
    const std::string& other = candidate.at(document);
    // Also where a summary has no words, which ROUGE calls 0.
    sum += same == other ? 1 : rouge(other, std::span(&same, 1), rouge_options).rougeL.f;
  }
  return sum / static_cast<double>(documents.size());
}

bool Judge::can_tell(std::span<const std::size_t> documents) const {
  return std::ranges::any_of(score(baseline_, documents).scores,
                             [](const RougeScore& score) { return score.rouge1.f > 0; });
}

void set_quality(Trial& trial, const GateReport& quality) {
  trial.quality = quality;
  constexpr double kMost = 1e9;
  trial.kept = trial.kept_low = trial.kept_high = kMost;
  for (const GateMeasure& measure : quality.measures) {
    if (measure.name == "length" || !(measure.baseline > 0)) continue;
    trial.kept = std::min(trial.kept, measure.kept);
    trial.kept_low = std::min(trial.kept_low, measure.kept_low());
    trial.kept_high = std::min(trial.kept_high, measure.kept_high());
  }
}

}  // namespace kobolt
