#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "cli/output.h"

namespace kobolt::cli {

/// The folder of a sweep: options.json says what is measured, points/ has a file for each point
/// that is done. Every file appears whole or not at all, so a sweep that was killed can go on.
class SweepFolder {
 public:
  /// Makes the folder, or opens the one that is there. Throws Error(invalid_argument) naming what
  /// differs where it holds a sweep with other options, or something that is no sweep.
  SweepFolder(std::filesystem::path folder, const Json& options);

  /// A point that was stored. Throws Error(corrupt) for a file that is not one.
  [[nodiscard]] std::optional<Json> point(const std::string& name) const;
  void store(const std::string& name, const Json& point) const;
  [[nodiscard]] std::filesystem::path file(const std::string& name) const { return folder_ / name; }

 private:
  [[nodiscard]] std::filesystem::path point_file(const std::string& name) const {
    return folder_ / "points" / (name + ".json");
  }
  std::filesystem::path folder_;
};

}  // namespace kobolt::cli
