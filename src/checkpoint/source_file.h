#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <span>
#include <string>

#include "base/mapped_file.h"

namespace kobolt {

/// Bytes to read from: what they are called in errors, and what keeps them alive.
struct SourceFile {
  std::string name;
  std::span<const std::byte> bytes;
  std::shared_ptr<const void> owner;

  /// Maps the file. Throws Error.
  static SourceFile open(const std::filesystem::path& path) {
    auto file = MappedFile::open(path);
    const auto bytes = file->bytes();
    return {path.string(), bytes, std::move(file)};
  }
};

}  // namespace kobolt
