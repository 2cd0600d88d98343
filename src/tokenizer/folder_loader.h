#pragma once

#include <memory>

#include "kobolt/model.h"
#include "tokenizer/tokenizer_impl.h"

namespace kobolt::text {

/// Builds the tokenizer of a folder without tokenizer.json, by the rules of the family's own
/// ("slow") tokenizer: BART's vocab.json and merges.txt, Marian's pair of SentencePiece models,
/// mBART's, mBART-50's and Pegasus' SentencePiece model. Throws Error.
std::unique_ptr<Tokenizer::Impl> load_tokenizer_folder(const TokenizerFiles& files, Family family);

}  // namespace kobolt::text
