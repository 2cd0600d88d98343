#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <span>
#include <string>

namespace kobolt {

/// A file mapped read-only. Keep the shared_ptr for as long as anything borrows from bytes().
class MappedFile {
 public:
  /// Throws Error(not_found or io) naming the file. An empty file maps to an empty span.
  static std::shared_ptr<const MappedFile> open(const std::filesystem::path& path);
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;
  ~MappedFile();

  [[nodiscard]] std::span<const std::byte> bytes() const noexcept { return bytes_; }

 private:
  explicit MappedFile(std::span<const std::byte> bytes) : bytes_(bytes) {}
  std::span<const std::byte> bytes_;
};

/// The whole of a small text file. Throws Error; refuses files over `limit` bytes, so that a
/// hostile folder cannot exhaust memory.
std::string read_text_file(const std::filesystem::path& path, std::size_t limit = 256U << 20U);

}  // namespace kobolt
