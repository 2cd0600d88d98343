#pragma once

#include <CLI/CLI.hpp>
#include <cstddef>
#include <string>
#include <vector>

namespace kobolt::cli {

/// --calibration-data and --calibration-samples: documents that int4 weights are rounded for.
class CalibrationDataFlags {
 public:
  /// `purpose` is the help text of --calibration-data.
  void add(CLI::App& command, const std::string& purpose);

  [[nodiscard]] const std::string& file() const { return file_; }
  /// The documents of that field; none where no file was given. Throws Error.
  [[nodiscard]] std::vector<std::string> documents(const std::string& field) const;

 private:
  std::string file_;
  std::size_t samples_ = 512;
};

}  // namespace kobolt::cli
