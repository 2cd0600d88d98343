#pragma once

#include <string>

#include "kobolt/optimize.h"

namespace kobolt::cli {

/// Where the documents are that a setting is made with; no name where it needs none.
struct SettingFiles {
  std::string calibration;  ///< int4 weights are rounded for them
  std::string pruning;      ///< with summaries: pruning looks at them
};

/// A setting as a file for --config: `compile` makes the same engine with it, and the commands that
/// run one set it up in the same way. `comment` opens the file, a line a line.
std::string settings_yaml(const Setting& setting, const std::string& comment,
                          const SettingFiles& files = {});

}  // namespace kobolt::cli
