#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "tokenizer/flat_map.h"

namespace kobolt::text {

/// Strings with a number each, searched by prefix.
class ByteTrie {
 public:
  /// Adds `key` (not empty), or gives it a new value (>= 0).
  void insert(std::string_view key, std::int32_t value) {
    std::uint32_t node = 0;
    for (const char byte : key) {
      const auto [child, is_new] = edges_.insert(edge(node, byte), nodes_ + 1);
      if (is_new) {
        ++nodes_;
        if (node == 0) first_[static_cast<unsigned char>(byte)] = nodes_;
      }
      node = *child;
    }
    *values_.insert(node, value).first = value;
  }

  /// Calls `visit(length, value)` for every key that `text` begins with, shortest first.
  template <typename Visit>
  void for_each_prefix(std::string_view text, Visit&& visit) const {
    if (text.empty()) return;
    std::uint32_t node = first_[static_cast<unsigned char>(text[0])];
    for (std::size_t length = 1; node != 0; ++length) {
      if (const std::int32_t* value = values_.find(node)) visit(length, *value);
      if (length == text.size()) return;
      const std::uint32_t* child = edges_.find(edge(node, text[length]));
      if (child == nullptr) return;
      node = *child;
    }
  }

  [[nodiscard]] bool may_start_with(char byte) const {
    return first_[static_cast<unsigned char>(byte)] != 0;
  }

 private:
  static std::uint64_t edge(std::uint32_t node, char byte) {
    return (std::uint64_t{node} << 8U) | static_cast<unsigned char>(byte);
  }

  FlatMap<std::uint32_t> edges_;
  FlatMap<std::int32_t> values_;
  std::array<std::uint32_t, 256> first_{};  ///< children of the root, node 0
  std::uint32_t nodes_ = 0;
};

}  // namespace kobolt::text
