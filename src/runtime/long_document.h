#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "kobolt/summarizer.h"
#include "kobolt/tokenizer.h"

namespace kobolt {

/// Token ids of documents, those that are too long cut as asked for. A document has one part, none
/// when it has no tokens at all, or several when it was split.
struct EncodedDocuments {
  std::vector<std::vector<std::int32_t>> parts;
  std::vector<std::size_t> first;  ///< of document i: parts [first[i], first[i + 1])
  std::vector<bool> truncated;
};

/// Throws Error(invalid_argument) naming the document for LongDocument::error.
EncodedDocuments encode_documents(const Tokenizer& tokenizer, std::span<const std::string> texts,
                                  int max_tokens, LongDocument treatment);

/// One summary a document from the summaries of the parts; that of a document without parts is
/// empty, those of several parts are joined with a space.
std::vector<Summary> join_parts(const EncodedDocuments& documents, std::vector<Summary> parts);

}  // namespace kobolt
