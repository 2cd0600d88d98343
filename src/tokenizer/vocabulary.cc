#include "tokenizer/vocabulary.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace kobolt::text {
namespace {

// FlatMap reserves the key with all bits set.
std::uint64_t hash_of(std::string_view token) {
  return XXH3_64bits(token.data(), token.size()) & ~(std::uint64_t{1} << 63U);
}

}  // namespace

Vocabulary::Vocabulary(std::size_t expected) : by_hash_(expected), by_id_(expected) {
  entries_.reserve(expected);
}

Vocabulary::Added Vocabulary::add(std::string_view token, std::int32_t id) {
  if (find(token) != none) return Added::text_taken;
  const auto index = static_cast<std::uint32_t>(entries_.size());
  if (!by_id_.insert(static_cast<std::uint64_t>(id), index).second) return Added::id_taken;
  Entry entry{static_cast<std::uint32_t>(texts_.size()), static_cast<std::uint32_t>(token.size()),
              id, end};
  const auto [slot, is_new] = by_hash_.insert(hash_of(token), index);
  if (!is_new) {
    entry.next = *slot;
    *slot = index;
  }
  texts_.append(token);
  entries_.push_back(entry);
  return Added::yes;
}

std::string_view Vocabulary::token_at(std::size_t index) const {
  return std::string_view(texts_).substr(entries_[index].offset, entries_[index].length);
}

std::int32_t Vocabulary::find(std::string_view token) const {
  const std::uint32_t* first = by_hash_.find(hash_of(token));
  if (first == nullptr) return none;
  for (std::uint32_t index = *first; index != end; index = entries_[index].next) {
    if (token_at(index) == token) return entries_[index].id;
  }
  return none;
}

std::optional<std::string_view> Vocabulary::token(std::int32_t id) const {
  if (id < 0) return std::nullopt;
  const std::uint32_t* index = by_id_.find(static_cast<std::uint64_t>(id));
  if (index == nullptr) return std::nullopt;
  return token_at(*index);
}

}  // namespace kobolt::text
