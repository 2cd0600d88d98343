#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "kobolt/error.h"

namespace kobolt {

/// Reads little-endian numbers and text from bytes, front to back. Reading past the end throws
/// Error(corrupt) naming the file.
class ByteReader {
 public:
  ByteReader(std::span<const std::byte> bytes, const std::string& file)
      : bytes_(bytes), file_(file) {}

  [[nodiscard]] std::size_t position() const noexcept { return position_; }
  [[nodiscard]] std::size_t remaining() const noexcept { return bytes_.size() - position_; }

  /// Moves to an absolute position.
  void seek(std::uint64_t position) {
    if (position > bytes_.size()) truncated();
    position_ = position;
  }

  std::span<const std::byte> take(std::uint64_t count) {
    if (count > remaining()) truncated();
    const auto taken = bytes_.subspan(position_, count);
    position_ += count;
    return taken;
  }

  std::string_view text(std::uint64_t count) {
    const auto taken = take(count);
    return {reinterpret_cast<const char*>(taken.data()), taken.size()};
  }

  /// Up to the next newline, which is skipped.
  std::string_view line() {
    std::size_t end = position_;
    while (end < bytes_.size() && bytes_[end] != std::byte{'\n'}) ++end;
    if (end == bytes_.size()) truncated();
    const std::string_view found = text(end - position_);
    ++position_;
    return found;
  }

  std::uint8_t u8() { return static_cast<std::uint8_t>(number(1)); }
  std::uint16_t u16() { return static_cast<std::uint16_t>(number(2)); }
  std::uint32_t u32() { return static_cast<std::uint32_t>(number(4)); }
  std::uint64_t u64() { return number(8); }

 private:
  std::uint64_t number(std::size_t count) {
    const auto taken = take(count);
    std::uint64_t value = 0;
    for (std::size_t i = count; i-- > 0;) {
      value = value << 8U | std::to_integer<std::uint64_t>(taken[i]);
    }
    return value;
  }

  [[noreturn]] void truncated() const {
    throw Error(ErrorKind::corrupt, "the file is truncated or contradicts itself",
                {.file = file_, .found = "the end after byte " + std::to_string(bytes_.size())});
  }

  std::span<const std::byte> bytes_;
  const std::string& file_;
  std::size_t position_ = 0;
};

}  // namespace kobolt
