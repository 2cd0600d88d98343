#pragma once

#include <cstddef>
#include <map>
#include <span>
#include <string>

namespace kobolt {

/// Entries of a zip archive by name, borrowed from `archive`. Only what torch.save writes: stored
/// entries, zip64 included; a compressed or encrypted entry, or sizes that contradict each other,
/// throw Error naming `file` and the entry.
std::map<std::string, std::span<const std::byte>> read_zip(std::span<const std::byte> archive,
                                                           const std::string& file);

/// Whether the bytes start like a zip archive.
bool looks_like_zip(std::span<const std::byte> bytes);

}  // namespace kobolt
