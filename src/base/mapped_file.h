#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <stop_token>
#include <string>

namespace kobolt {

/// A file mapped read-only. Keep the shared_ptr for as long as anything borrows from bytes().
class MappedFile {
 public:
  /// Throws Error(not_found or io) naming the file. An empty file maps to an empty span.
  static std::shared_ptr<const MappedFile> open(const std::filesystem::path& path);
  /// The same; files that are open already, and have not changed, are shared.
  static std::shared_ptr<const MappedFile> open_shared(const std::filesystem::path& path);
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;
  ~MappedFile();

  [[nodiscard]] std::span<const std::byte> bytes() const noexcept { return bytes_; }

  /// Puts a copy in large pages in the place of the mapping, piece by piece: the bytes stay where
  /// they are and what they are, and others may read them meanwhile. Loops that read much then no
  /// longer wait for looking up pages; in return the memory is this process's own. Returns whether
  /// all of it is a copy now: not if the system refuses, `stop` asks to end, or another call is at
  /// work.
  bool move_to_large_pages(const std::stop_token& stop = {}) const;
  /// Whether that is done.
  [[nodiscard]] bool moved() const noexcept { return moved_; }

 private:
  static std::shared_ptr<const MappedFile> map(int descriptor, std::size_t size,
                                               const std::filesystem::path& path);
  MappedFile(std::span<const std::byte> bytes, std::span<std::byte> region)
      : bytes_(bytes), region_(region) {}
  std::span<const std::byte> bytes_;
  std::span<std::byte> region_;  // of whole large pages, bytes_ at its beginning
  mutable std::atomic<bool> moving_ = false;
  mutable std::atomic<bool> moved_ = false;
};

/// The whole of a small text file. Throws Error; refuses files over `limit` bytes, so that a
/// hostile folder cannot exhaust memory.
std::string read_text_file(const std::filesystem::path& path, std::size_t limit = 256U << 20U);

}  // namespace kobolt
