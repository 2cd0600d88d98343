#include "runtime/stepwise_search.h"

#include <algorithm>

#include "runtime/logits_processors.h"
#include "runtime/sampling.h"

namespace kobolt {

StepwiseSearch::StepwiseSearch(const GenerationPlan& plan)
    : Search(plan),
      sequences_(static_cast<std::size_t>(plan.width)),
      candidates_(static_cast<std::size_t>(plan.width)) {
  for (Sequence& sequence : sequences_) {
    sequence.tokens.reserve(static_cast<std::size_t>(plan.max_length));
  }
  for (std::vector<Candidate>& candidates : candidates_) candidates.reserve(1);
}

void StepwiseSearch::start(std::size_t index) {
  done_ = false;
  clear_rows();
  for (std::size_t i = 0; i < sequences_.size(); ++i) {
    Sequence& sequence = sequences_[i];
    sequence.tokens.assign(1, plan_.start_token);
    sequence.finished = false;
    sequence.random = Random(plan_.seed, index, i);
    sequence.row = row_of(plan_.start_token, 0);
  }
}

std::int32_t StepwiseSearch::choose(Sequence& sequence) const {
  const std::vector<Candidate>& candidates = candidates_[sequence.row];
  if (candidates.empty()) return 0;  // everything is forbidden
  return plan_.sample ? draw(candidates, sequence.random.uniform()).token : candidates[0].token;
}

void StepwiseSearch::advance(const StepLogits& logits, std::span<const std::int32_t> document,
                             ScoreRow& scores) {
  for (std::size_t row = 0; row < rows().size(); ++row) {
    const auto owner = std::ranges::find_if(sequences_, [row](const Sequence& sequence) {
      return !sequence.finished && sequence.row == row;
    });
    logits.read(row, scores, ScoreRow::Scale::logits);
    process(scores, plan_, owner->tokens, document);
    if (plan_.sample) {
      sampling_candidates(scores, plan_, candidates_[row]);
    } else {
      candidates_[row].assign(1, scores.best());
    }
  }

  clear_rows();
  done_ = true;
  for (Sequence& sequence : sequences_) {
    if (sequence.finished) continue;
    const std::int32_t token = choose(sequence);
    sequence.tokens.push_back(token);
    const auto length = static_cast<int>(sequence.tokens.size());
    sequence.finished = plan_.is_eos(token) || length >= plan_.max_length;
    if (sequence.finished) continue;
    sequence.row = row_of(token, sequence.row);
    done_ = false;
  }
}

std::vector<GeneratedSequence> StepwiseSearch::results() const {
  std::vector<GeneratedSequence> results;
  for (const Sequence& sequence : sequences_) {
    results.push_back({.tokens = {sequence.tokens.begin() + 1, sequence.tokens.end()}});
  }
  return results;
}

}  // namespace kobolt
