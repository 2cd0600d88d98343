#include "runtime/logits_processors.h"

#include <algorithm>
#include <cstddef>

namespace kobolt {

void penalize(ScoreRow& row, std::span<const std::int32_t> tokens, float penalty) {
  row.transform(tokens,
                [penalty](float score) { return score < 0 ? score * penalty : score / penalty; });
}

void forbid_ngrams(ScoreRow& row, std::span<const std::int32_t> tokens,
                   std::span<const std::int32_t> text, int size) {
  const auto prefix_size = static_cast<std::size_t>(size) - 1;
  if (tokens.size() < prefix_size || text.size() <= prefix_size) return;
  const auto prefix = tokens.last(prefix_size);
  for (std::size_t begin = 0; begin + prefix_size < text.size(); ++begin) {
    if (std::ranges::equal(text.subspan(begin, prefix_size), prefix)) {
      row.set(text[begin + prefix_size], kNever);
    }
  }
}

void forbid_words(ScoreRow& row, std::span<const std::int32_t> tokens,
                  const std::vector<std::vector<std::int32_t>>& words) {
  for (const std::vector<std::int32_t>& word : words) {
    const auto prefix = std::span(word).first(word.size() - 1);
    if (prefix.size() <= tokens.size() && std::ranges::equal(prefix, tokens.last(prefix.size()))) {
      row.set(word.back(), kNever);
    }
  }
}

void process(ScoreRow& row, const GenerationPlan& plan, std::span<const std::int32_t> tokens,
             std::span<const std::int32_t> document) {
  const auto length = static_cast<int>(tokens.size());
  if (plan.encoder_repetition_penalty != 1) {
    penalize(row, document, plan.encoder_repetition_penalty);
  }
  if (plan.repetition_penalty != 1) penalize(row, tokens, plan.repetition_penalty);
  if (plan.no_repeat_ngram_size > 0) forbid_ngrams(row, tokens, tokens, plan.no_repeat_ngram_size);
  if (plan.encoder_no_repeat_ngram_size > 0) {
    forbid_ngrams(row, tokens, document, plan.encoder_no_repeat_ngram_size);
  }
  forbid_words(row, tokens, plan.bad_words);
  if (length < plan.min_length) row.forbid(plan.eos);
  if (length == 1 && !plan.forced_bos.empty()) row.keep_only(plan.forced_bos);
  if (length == plan.max_length - 1 && !plan.forced_eos.empty()) row.keep_only(plan.forced_eos);
  row.forbid(plan.suppress);
  if (length == plan.begin_length) row.forbid(plan.begin_suppress);
}

}  // namespace kobolt
