#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tokenizer/flat_map.h"

namespace kobolt::text {

/// Token texts and their ids, both ways. Ids need not be dense.
class Vocabulary {
 public:
  static constexpr std::int32_t none = -1;

  explicit Vocabulary(std::size_t expected = 0);

  enum class Added : std::uint8_t { yes, text_taken, id_taken };
  /// Adds a token unless its text or its id (>= 0) is taken.
  Added add(std::string_view token, std::int32_t id);

  /// The id of `token`, or `none`.
  [[nodiscard]] std::int32_t find(std::string_view token) const;
  [[nodiscard]] std::optional<std::string_view> token(std::int32_t id) const;

  [[nodiscard]] std::size_t size() const { return entries_.size(); }
  [[nodiscard]] std::string_view token_at(std::size_t index) const;
  [[nodiscard]] std::int32_t id_at(std::size_t index) const { return entries_[index].id; }

 private:
  struct Entry {
    std::uint32_t offset;
    std::uint32_t length;
    std::int32_t id;
    std::uint32_t next;  ///< another entry with the same hash, or `end`
  };
  static constexpr std::uint32_t end = ~std::uint32_t{0};

  std::string texts_;
  std::vector<Entry> entries_;
  FlatMap<std::uint32_t> by_hash_;
  FlatMap<std::uint32_t> by_id_;
};

}  // namespace kobolt::text
