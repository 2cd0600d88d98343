#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>

namespace kobolt {

/// Where the bytes of a file are.
enum class Pages : std::uint8_t {
  mapped,  ///< in the system's cache, shared by all processes, read when first touched
  large,   ///< copied into pages of 2 MiB or so of this process, where the system grants them
};

/// A file mapped read-only. Keep the shared_ptr for as long as anything borrows from bytes().
class MappedFile {
 public:
  /// Throws Error(not_found or io) naming the file. An empty file maps to an empty span.
  static std::shared_ptr<const MappedFile> open(const std::filesystem::path& path,
                                                Pages pages = Pages::mapped);
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;
  ~MappedFile();

  [[nodiscard]] std::span<const std::byte> bytes() const noexcept { return bytes_; }

 private:
  MappedFile(std::span<const std::byte> bytes, std::span<std::byte> region)
      : bytes_(bytes), region_(region) {}
  std::span<const std::byte> bytes_;
  std::span<std::byte> region_;  // what was asked of the system: bytes_ and, perhaps, some around
};

/// The whole of a small text file. Throws Error; refuses files over `limit` bytes, so that a
/// hostile folder cannot exhaust memory.
std::string read_text_file(const std::filesystem::path& path, std::size_t limit = 256U << 20U);

}  // namespace kobolt
