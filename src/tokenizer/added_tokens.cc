#include "tokenizer/added_tokens.h"

#include <algorithm>
#include <limits>

#include "tokenizer/unicode.h"

namespace kobolt::text {
namespace {

bool ends_with_word(std::string_view text) {
  return !text.empty() && is_word(decode_at(text, previous(text, text.size())).value);
}

bool starts_with_word(std::string_view text) {
  return !text.empty() && is_word(decode_at(text, 0).value);
}

std::size_t without_trailing_space(std::string_view text) {
  while (!text.empty()) {
    const std::size_t last = previous(text, text.size());
    if (!is_whitespace(decode_at(text, last).value)) break;
    text = text.substr(0, last);
  }
  return text.size();
}

std::size_t leading_space(std::string_view text) {
  std::size_t at = 0;
  while (at < text.size()) {
    const CodePoint point = decode_at(text, at);
    if (!is_whitespace(point.value)) break;
    at += point.length;
  }
  return at;
}

}  // namespace

void AddedTokens::add(AddedToken token, const TokenModel& model, const Normalizer* normalizer,
                      std::optional<std::int32_t> wanted) {
  if (token.content.empty()) return;
  if (next_id_ < 0) next_id_ = static_cast<std::int32_t>(model.vocab_size());
  std::int32_t id = Vocabulary::none;
  if (const auto known = find(token.content)) {
    id = *known;
  } else {
    id = model.find(token.content);
    if (id == Vocabulary::none) {
      if (wanted && !by_id_.contains(*wanted) && !model.token(*wanted)) {
        id = *wanted;
      } else {
        // A model with gaps in its ids may own the next one.
        while (model.token(next_id_) || by_id_.contains(next_id_)) ++next_id_;
        id = next_id_++;
      }
      ++beyond_model_;
    }
  }
  std::string seen = token.content;
  if (token.normalized && normalizer != nullptr) {
    NormalizedText text(token.content);
    normalizer->apply(text);
    seen = text.view();
  }
  if (token.special) special_.insert(token.content);
  const auto [place, is_new] = by_content_.try_emplace(token.content, tokens_.size());
  if (is_new) {
    by_id_[id] = tokens_.size();
    tokens_.push_back(std::move(token));
    seen_by_decoder_.push_back(std::move(seen));
    ids_.push_back(id);
  } else {
    tokens_[place->second] = std::move(token);
    seen_by_decoder_[place->second] = std::move(seen);
  }
}

void AddedTokens::finish() {
  for (std::size_t i = 0; i < tokens_.size(); ++i) {
    if (seen_by_decoder_[i].empty()) continue;
    Search& search = tokens_[i].normalized ? normalized_ : raw_;
    search.trie.insert(seen_by_decoder_[i], static_cast<std::int32_t>(i));
    search.empty = false;
  }
}

void AddedTokens::find_matches(const Search& search, const std::vector<AddedToken>& tokens,
                               std::string_view text, std::vector<Match>& matches) {
  std::size_t covered = 0;  // end of the last match, white space included
  for (std::size_t at = 0; at < text.size();) {
    if (!search.trie.may_start_with(text[at])) {
      ++at;
      continue;
    }
    std::size_t length = 0;
    std::int32_t index = -1;
    search.trie.for_each_prefix(text.substr(at), [&](std::size_t size, std::int32_t value) {
      length = size;
      index = value;
    });
    if (index < 0) {
      ++at;
      continue;
    }
    const AddedToken& token = tokens[static_cast<std::size_t>(index)];
    std::size_t start = at;
    std::size_t stop = at + length;
    at = stop;
    if (token.single_word &&
        (ends_with_word(text.substr(0, start)) || starts_with_word(text.substr(stop)))) {
      continue;
    }
    if (token.lstrip) {
      start = std::max(without_trailing_space(text.substr(0, start)), covered);
    }
    if (token.rstrip) stop += leading_space(text.substr(stop));
    matches.push_back({start, stop, index});
    covered = stop;
  }
}

void AddedTokens::split(std::string_view text, const Normalizer* normalizer, TextArena& arena,
                        std::vector<Piece>& pieces) const {
  // `cut` calls `between` for each stretch without a match.
  const auto cut = [&](const Search& search, std::string_view whole, auto&& between) {
    if (search.empty) {
      between(whole, std::size_t{0});
      return;
    }
    std::vector<Match> matches;
    find_matches(search, tokens_, whole, matches);
    std::size_t covered = 0;
    for (const Match& match : matches) {
      if (covered < match.start) {
        between(whole.substr(covered, match.start - covered), covered);
      }
      if (match.start < match.stop) {
        pieces.push_back({whole.substr(match.start, match.stop - match.start),
                          ids_[static_cast<std::size_t>(match.id)], false});
      }
      covered = match.stop;
    }
    if (covered < whole.size()) between(whole.substr(covered), covered);
  };

  cut(raw_, text, [&](std::string_view part, std::size_t offset) {
    NormalizedText normalized(part);
    if (normalizer != nullptr) normalizer->apply(normalized);
    std::string_view view = normalized.view();
    const bool borrowed = view.data() >= text.data() && view.data() <= text.data() + text.size();
    if (!borrowed) view = arena.store(view);
    const bool at_start = offset == 0 && normalized.keeps_start();
    cut(normalized_, view, [&](std::string_view piece, std::size_t inner) {
      if (!piece.empty()) pieces.push_back({piece, -1, at_start && inner == 0});
    });
  });
}

std::optional<std::int32_t> AddedTokens::find(std::string_view content) const {
  const auto found = by_content_.find(std::string(content));
  if (found == by_content_.end()) return std::nullopt;
  return ids_[found->second];
}

const std::string* AddedTokens::token(std::int32_t id) const {
  const auto found = by_id_.find(id);
  return found == by_id_.end() ? nullptr : &seen_by_decoder_[found->second];
}

bool AddedTokens::is_special(std::string_view content) const {
  return special_.contains(std::string(content));
}

}  // namespace kobolt::text
