#pragma once

#include <filesystem>

namespace kobolt {

/// Makes a folder with those above it; one that is there is left as it is. Throws Error(io).
void make_folder(const std::filesystem::path& folder);

}  // namespace kobolt
