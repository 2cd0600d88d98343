#pragma once

#include <cstdint>
#include <vector>

#include "gradient/loss_gradient.h"
#include "kobolt/model.h"
#include "kobolt/tokenizer.h"

namespace kobolt {

/// The files of the tokenizer of summaries, where it is another than that of documents: Marian's
/// has its own SentencePiece model and may have its own vocabulary.
TokenizerFiles summary_tokenizer_files(const TokenizerFiles& files, Family family);

/// What a model learns to write, from a summary's ids as the tokenizer gives them, at most
/// max_positions: the end is put behind them where it is missing, as trainers do for tokenizers
/// without special tokens of their own (KoBART's), and mBART's language is the one that generation
/// starts with, since tokenizers mark the language of documents.
std::vector<std::int32_t> summary_labels(std::vector<std::int32_t> ids, const Model& model);

/// transformers' shift_tokens_right of the family: the start token, then all labels but the last.
/// mBART starts with the last label, a language or the end. Throws Error(invalid_argument) for a
/// model without a start token.
std::vector<std::int32_t> shift_right(const std::vector<std::int32_t>& labels, const Model& model);

}  // namespace kobolt
