#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace kobolt {

/// Hash of sequences of ids or bytes, as polynomial_hash in tests/golden/tokenizer_data.py.
class PolynomialHash {
 public:
  void add(std::span<const std::int32_t> ids) {
    for (const std::int32_t id : ids) add(static_cast<std::uint64_t>(id));
    add(separator);
  }
  void add(std::string_view text) {
    for (const char byte : text) add(std::uint64_t{static_cast<unsigned char>(byte)});
    add(separator);
  }
  [[nodiscard]] std::string hex() const {
    std::string digits(16, '0');
    for (std::size_t i = 0; i < digits.size(); ++i) {
      digits[digits.size() - 1 - i] = "0123456789abcdef"[(hash_ >> (4 * i)) & 15U];
    }
    return digits;
  }

 private:
  static constexpr std::uint64_t separator = std::uint64_t{1} << 32U;
  void add(std::uint64_t value) { hash_ = hash_ * 0x100000001B3U + value + 1; }

  std::uint64_t hash_ = 0;
};

}  // namespace kobolt
