#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "kobolt/evaluate.h"

namespace kobolt {

/// Reads one JSON object a line; blank lines are skipped. Throws Error(corrupt) naming `file` and
/// the line.
std::vector<Example> read_json_lines(std::string_view bytes, const std::string& file,
                                     const DatasetOptions& options);

/// Reads a JSON list of objects. Throws Error(corrupt) naming `file` and the item.
std::vector<Example> read_json_list(std::string_view bytes, const std::string& file,
                                    const DatasetOptions& options);

}  // namespace kobolt
