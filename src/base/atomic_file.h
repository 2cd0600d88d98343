#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string_view>

namespace kobolt {

/// A file that appears whole or not at all: written beside its target, synced, then renamed over
/// it by commit(). Destroyed without commit, it leaves nothing behind.
class AtomicFile {
 public:
  /// Follows links. Throws Error naming `target`, also when a folder, device or pipe is there.
  explicit AtomicFile(std::filesystem::path target);
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;
  ~AtomicFile();

  void write(std::span<const std::byte> bytes);
  void write(std::string_view text);
  /// Overwrites bytes already written, for headers whose content is known last.
  void write_at(std::size_t offset, std::span<const std::byte> bytes);
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  void commit();

 private:
  std::filesystem::path target_;
  std::filesystem::path temporary_;
  int descriptor_ = -1;
  std::size_t size_ = 0;
};

/// AtomicFile in one call.
void write_file(const std::filesystem::path& target, std::string_view text);

}  // namespace kobolt
