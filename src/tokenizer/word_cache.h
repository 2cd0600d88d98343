#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>
#include <vector>

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace kobolt::text {

/// Remembers the ids of short pieces: text repeats its words. Direct-mapped, so a newcomer simply
/// takes the place; an entry is one cache line. Not thread-safe: each call in flight has its own.
class WordCache {
 public:
  static constexpr std::size_t longest_key = 38;
  static constexpr std::size_t most_ids = 6;

  WordCache() : entries_(entry_count) {}

  struct Slot;
  /// The place of `piece`, which has at most longest_key bytes.
  [[nodiscard]] Slot& slot_of(std::string_view piece) {
    return entries_[XXH3_64bits(piece.data(), piece.size()) % entry_count];
  }

  struct alignas(64) Slot {
    std::array<std::int32_t, most_ids> ids{};
    std::uint8_t count = 0;
    std::uint8_t key_size = 0;  ///< 0 = empty; no piece is empty
    std::array<char, longest_key> key{};

    [[nodiscard]] bool holds(std::string_view piece) const {
      return key_size == piece.size() && std::memcmp(key.data(), piece.data(), piece.size()) == 0;
    }
    void set(std::string_view piece, std::span<const std::int32_t> new_ids) {
      if (new_ids.size() > most_ids) return;
      std::memcpy(key.data(), piece.data(), piece.size());
      key_size = static_cast<std::uint8_t>(piece.size());
      std::memcpy(ids.data(), new_ids.data(), new_ids.size_bytes());
      count = static_cast<std::uint8_t>(new_ids.size());
    }
  };

 private:
  // 1 MiB: fits the second-level cache of most processors and holds the frequent words.
  static constexpr std::size_t entry_count = std::size_t{1} << 14U;
  std::vector<Slot> entries_;
};

static_assert(sizeof(WordCache::Slot) == 64);

}  // namespace kobolt::text
