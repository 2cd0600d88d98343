#pragma once

#include <array>
#include <cstdint>

namespace kobolt {

/// The first 64 bytes of an engine file.
struct EngineHeader {
  /// The line end shows at once when a transfer in text mode has damaged the file.
  static constexpr std::array<char, 8> kMagic = {'K', 'O', 'B', 'O', 'L', 'T', '\r', '\n'};

  std::array<char, 8> magic = kMagic;
  std::uint32_t version = 0;
  std::uint32_t header_size = 64;
  std::uint64_t file_size = 0;
  std::uint64_t metadata_offset = 0;
  std::uint64_t metadata_size = 0;
  std::uint64_t metadata_hash = 0;
  std::uint64_t reserved = 0;
  std::uint64_t header_hash = 0;  ///< XXH3-64 of the bytes before it
};
static_assert(sizeof(EngineHeader) == 64);

}  // namespace kobolt
