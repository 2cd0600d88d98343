#include "runtime/sampling.h"

#include <algorithm>
#include <cmath>
#include <cstddef>

namespace kobolt {
namespace {

float best_score(const std::vector<Candidate>& candidates) {
  return std::max_element(candidates.begin(), candidates.end(),
                          [](const Candidate& a, const Candidate& b) { return a.score < b.score; })
      ->score;
}

double weight(const Candidate& candidate, float best) {
  return std::exp(static_cast<double>(candidate.score) - static_cast<double>(best));
}

double total_weight(const std::vector<Candidate>& candidates, float best) {
  double total = 0;
  for (const Candidate& candidate : candidates) total += weight(candidate, best);
  return total;
}

// Keeps the fewest best candidates whose probabilities reach top_p, but at least `least`. Sorts no
// more of the tail than it must look at.
void keep_nucleus(std::vector<Candidate>& candidates, double top_p, std::size_t least) {
  const float best = best_score(candidates);
  const double needed = top_p * total_weight(candidates, best);
  double reached = 0;
  std::size_t kept = 0;
  std::size_t sorted = 0;
  while (kept < candidates.size() && (reached < needed || kept < least)) {
    if (kept == sorted) {
      sorted = std::min(candidates.size(), std::max<std::size_t>(64, 4 * sorted));
      const auto at = [&](std::size_t i) {
        return candidates.begin() + static_cast<std::ptrdiff_t>(i);
      };
      std::partial_sort(at(kept), at(sorted), candidates.end(), better);
    }
    reached += weight(candidates[kept], best);
    ++kept;
  }
  candidates.resize(kept);
}

}  // namespace

void sampling_candidates(ScoreRow& row, const GenerationPlan& plan, std::vector<Candidate>& out) {
  if (plan.top_k > 0) {
    row.top(std::max(plan.top_k, plan.min_candidates), out);
  } else {
    row.all(out);
  }
  if (plan.temperature != 1) {
    for (Candidate& candidate : out) candidate.score /= plan.temperature;
  }
  if (plan.top_p < 1 && !out.empty()) {
    keep_nucleus(out, plan.top_p, static_cast<std::size_t>(plan.min_candidates));
  }
}

Candidate draw(const std::vector<Candidate>& candidates, double uniform) {
  const float best = best_score(candidates);
  double left = uniform * total_weight(candidates, best);
  for (const Candidate& candidate : candidates) {
    left -= weight(candidate, best);
    if (left < 0) return candidate;
  }
  return candidates.back();  // rounding ate the last of `left`
}

}  // namespace kobolt
