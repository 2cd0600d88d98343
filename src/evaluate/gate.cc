#include "kobolt/gate.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "evaluate/bootstrap.h"
#include "kobolt/error.h"

namespace kobolt {
namespace {

constexpr std::size_t kGateMeasures = 4;
constexpr std::array<std::string_view, kGateMeasures> kGateNames{"ROUGE-1", "ROUGE-2", "ROUGE-L",
                                                                 "length"};

double characters(std::string_view text) {
  return static_cast<double>(
      std::ranges::count_if(text, [](char c) { return (c & 0xC0) != 0x80; }));
}

void check_systems(const ScoredSummaries& baseline, const ScoredSummaries& candidate) {
  const std::size_t count = baseline.scores.size();
  if (count > 0 && candidate.scores.size() == count && baseline.summaries.size() == count &&
      candidate.summaries.size() == count) {
    return;
  }
  throw Error(ErrorKind::invalid_argument, "a gate needs the same documents of both systems",
              {.found = fmt::format("{} and {} scores for {} and {} summaries", count,
                                    candidate.scores.size(), baseline.summaries.size(),
                                    candidate.summaries.size())});
}

void check_share(const char* field, double share) {
  if (share > 0 && share <= 10) return;
  throw Error(ErrorKind::invalid_argument, "a share out of range",
              {.field = field, .found = fmt::format("{}", share), .expected = "above 0, as 0.99"});
}

// [documents, measures * 2]: the baseline's figure and the candidate's, side by side.
std::vector<double> paired_figures(const ScoredSummaries& baseline,
                                   const ScoredSummaries& candidate) {
  std::vector<double> values;
  values.reserve(baseline.scores.size() * 2 * kGateMeasures);
  for (std::size_t i = 0; i < baseline.scores.size(); ++i) {
    for (const auto measure : {&RougeScore::rouge1, &RougeScore::rouge2, &RougeScore::rougeL}) {
      values.push_back((baseline.scores[i].*measure).f);
      values.push_back((candidate.scores[i].*measure).f);
    }
    values.push_back(characters(baseline.summaries[i]));
    values.push_back(characters(candidate.summaries[i]));
  }
  return values;
}

}  // namespace

double mean_length(std::span<const std::string> summaries) {
  double sum = 0;
  for (const std::string& summary : summaries) sum += characters(summary);
  return summaries.empty() ? 0 : sum / static_cast<double>(summaries.size());
}

GateReport check_gate(const ScoredSummaries& baseline, const ScoredSummaries& candidate,
                      const GateOptions& options) {
  check_systems(baseline, candidate);
  check_share("keep", options.keep);
  check_share("keep_length", options.keep_length);

  // Of each measure: the baseline's mean, the candidate's, and their difference.
  constexpr std::size_t kValues = 3;
  const auto compare = [](std::span<const double> means, std::span<double> values) {
    for (std::size_t m = 0; m < kGateMeasures; ++m) {
      values[kValues * m] = means[2 * m];
      values[kValues * m + 1] = means[2 * m + 1];
      values[kValues * m + 2] = means[2 * m + 1] - means[2 * m];
    }
  };
  const auto found = bootstrap_statistic(paired_figures(baseline, candidate), 2 * kGateMeasures,
                                         kValues * kGateMeasures, compare,
                                         {.samples = options.bootstrap_samples,
                                          .confidence = options.confidence,
                                          .seed = options.seed});
  GateReport report{.passed = true};
  double sum_of_rouge = 0;
  for (std::size_t m = 0; m < kGateMeasures; ++m) {
    const bool length = m + 1 == kGateMeasures;
    const MeanInterval& difference = found[kValues * m + 2];
    GateMeasure& measure = report.measures[m];
    measure = {.name = kGateNames[m],
               .baseline = found[kValues * m].mean,
               .candidate = found[kValues * m + 1].mean,
               .kept = 1,
               .needed = length ? options.keep_length : options.keep,
               .difference = difference.mean,
               .difference_low = difference.low,
               .difference_high = difference.high};
    if (measure.baseline > 0) measure.kept = measure.candidate / measure.baseline;
    measure.passed = measure.candidate >= measure.needed * measure.baseline;
    report.passed = report.passed && measure.passed;
    if (!length) sum_of_rouge += measure.baseline;
  }
  if (sum_of_rouge > 0) return report;
  throw Error(
      ErrorKind::invalid_argument, "the baseline scores 0 on every document",
      {.found = fmt::format("{} documents", baseline.scores.size()),
       .expected = "a quality that can be kept",
       .hint = "look at the references, and at how ROUGE cuts text (unicode, ascii, char)"});
}

}  // namespace kobolt
