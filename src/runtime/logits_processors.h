#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "runtime/generation_plan.h"
#include "runtime/score_row.h"

namespace kobolt {

/// The settings that change next-token scores, one function each; named in transformers
/// (generation/logits_process.py) as noted. `tokens` is the sequence so far, start token included.

/// RepetitionPenaltyLogitsProcessor, and with the inverted penalty and the document's tokens
/// EncoderRepetitionPenaltyLogitsProcessor: negative scores times, others divided by `penalty`.
void penalize(ScoreRow& row, std::span<const std::int32_t> tokens, float penalty);

/// Forbids every token that would complete an n-gram of `text` at the end of `tokens`:
/// NoRepeatNGramLogitsProcessor with text = tokens, EncoderNoRepeatNGramLogitsProcessor with
/// text = document. `size` >= 1.
void forbid_ngrams(ScoreRow& row, std::span<const std::int32_t> tokens,
                   std::span<const std::int32_t> text, int size);

/// NoBadWordsLogitsProcessor: forbids the last token of each word whose beginning is the end of
/// `tokens`. Words are not empty.
void forbid_words(ScoreRow& row, std::span<const std::int32_t> tokens,
                  const std::vector<std::vector<std::int32_t>>& words);

/// All settings of `plan` in the order of transformers, up to and without temperature, top-k and
/// top-p.
void process(ScoreRow& row, const GenerationPlan& plan, std::span<const std::int32_t> tokens,
             std::span<const std::int32_t> document);

}  // namespace kobolt
