#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "kobolt/evaluate.h"

namespace kobolt {

enum class DatasetFormat : std::uint8_t { json_lines, json_list, csv, tsv, text };

/// By extension; where there is none (standard input), JSON lines when the first byte that is not
/// white space is a brace, else text. A .json file that starts with a brace holds JSON lines.
DatasetFormat dataset_format(const std::filesystem::path& file, std::string_view bytes);

/// read_dataset on bytes in memory; `file` is the name for errors. Throws Error.
std::vector<Example> parse_dataset(std::string_view bytes, DatasetFormat format,
                                   const std::string& file, const DatasetOptions& options);

}  // namespace kobolt
