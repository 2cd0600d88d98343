#pragma once

#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <span>
#include <string>

#include "base/mapped_file.h"

namespace kobolt {

/// A file that tests/golden/make_rouge.py wrote.
inline nlohmann::json golden(const std::string& name) {
  return nlohmann::json::parse(read_text_file(KOBOLT_TEST_DATA "/evaluate/" + name));
}

inline std::filesystem::path shared_data() { return KOBOLT_SOURCE_DIR "/../shared/data"; }

/// FNV-1a, which the golden script can compute without a package.
inline std::uint64_t fnv1a(std::span<const std::byte> bytes,
                           std::uint64_t state = 0xCBF29CE484222325U) {
  for (const std::byte byte : bytes) {
    state = (state ^ static_cast<std::uint64_t>(byte)) * 0x100000001B3U;
  }
  return state;
}

}  // namespace kobolt
