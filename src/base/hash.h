#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace kobolt {

/// XXH3-64: the checksum of engine files.
std::uint64_t hash64(std::span<const std::byte> bytes);

/// XXH3-128 over several pieces as one stream, as 32 hex digits: identity of a checkpoint.
std::string hash128_hex(std::span<const std::span<const std::byte>> pieces);

}  // namespace kobolt
