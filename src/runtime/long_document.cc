#include "runtime/long_document.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "kobolt/error.h"

namespace kobolt {
namespace {

using Ids = std::vector<std::int32_t>;

// Cuts a document's ids into parts of equal length that fit, each with the special tokens that the
// whole document has around it.
std::vector<Ids> split(const Tokenizer& tokenizer, const std::string& text, const Ids& whole,
                       std::size_t max_tokens) {
  const Ids content = tokenizer.encode(text, {.add_special_tokens = false});
  const auto found = std::search(whole.begin(), whole.end(), content.begin(), content.end());
  const Ids prefix(whole.begin(), found);
  const Ids suffix(
      found == whole.end() ? whole.end() : found + static_cast<std::ptrdiff_t>(content.size()),
      whole.end());
  const std::size_t special = prefix.size() + suffix.size();
  if (special >= max_tokens) {
    throw Error(ErrorKind::unsupported, "no room for text beside the special tokens",
                {.found = fmt::format("{} special tokens", special),
                 .expected = fmt::format("fewer than {}", max_tokens)});
  }
  const std::size_t room = max_tokens - special;
  const std::size_t count = (content.size() + room - 1) / room;
  std::vector<Ids> parts;
  for (std::size_t i = 0; i < count; ++i) {
    Ids& part = parts.emplace_back(prefix);
    const auto at = [&](std::size_t index) {
      return content.begin() + static_cast<std::ptrdiff_t>(content.size() * index / count);
    };
    part.insert(part.end(), at(i), at(i + 1));
    part.insert(part.end(), suffix.begin(), suffix.end());
  }
  return parts;
}

}  // namespace

EncodedDocuments encode_documents(const Tokenizer& tokenizer, std::span<const std::string> texts,
                                  int max_tokens, LongDocument treatment) {
  EncodedDocuments documents;
  documents.truncated.resize(texts.size());
  for (std::size_t i = 0; i < texts.size(); ++i) {
    documents.first.push_back(documents.parts.size());
    Ids ids = tokenizer.encode(texts[i]);
    if (ids.empty()) continue;
    if (std::cmp_less_equal(ids.size(), max_tokens)) {
      documents.parts.push_back(std::move(ids));
      continue;
    }
    switch (treatment) {
      case LongDocument::truncate:
        documents.parts.push_back(tokenizer.encode(texts[i], {.max_length = max_tokens}));
        documents.truncated[i] = true;
        break;
      case LongDocument::split:
        std::ranges::move(split(tokenizer, texts[i], ids, static_cast<std::size_t>(max_tokens)),
                          std::back_inserter(documents.parts));
        break;
      case LongDocument::error:
        throw Error(ErrorKind::invalid_argument, "the document is longer than the model takes",
                    {.field = fmt::format("document {}", i + 1),
                     .found = fmt::format("{} tokens", ids.size()),
                     .expected = fmt::format("at most {}", max_tokens),
                     .hint = "truncate or split long documents instead"});
    }
  }
  documents.first.push_back(documents.parts.size());
  return documents;
}

std::vector<Summary> join_parts(const EncodedDocuments& documents, std::vector<Summary> parts) {
  std::vector<Summary> summaries(documents.truncated.size());
  for (std::size_t i = 0; i < summaries.size(); ++i) {
    Summary& summary = summaries[i];
    const std::size_t begin = documents.first[i];
    const std::size_t end = documents.first[i + 1];
    if (begin == end) continue;
    summary = std::move(parts[begin]);
    for (std::size_t j = begin + 1; j < end; ++j) {
      summary.text += (summary.text.empty() || parts[j].text.empty() ? "" : " ") + parts[j].text;
      summary.tokens.insert(summary.tokens.end(), parts[j].tokens.begin(), parts[j].tokens.end());
      summary.score += parts[j].score;
    }
    if (end - begin > 1) {
      summary.score /= static_cast<double>(end - begin);
      summary.alternatives.clear();  // alternatives of one part say nothing about the whole
    }
    summary.truncated = documents.truncated[i];
  }
  return summaries;
}

}  // namespace kobolt
