#pragma once

#include <filesystem>
#include <system_error>

namespace kobolt {

/// Whether something may be at `path`: also where looking is not permitted, so that opening it
/// then says why. Never throws.
inline bool may_exist(const std::filesystem::path& path) {
  std::error_code failure;
  return std::filesystem::status(path, failure).type() != std::filesystem::file_type::not_found;
}

}  // namespace kobolt
