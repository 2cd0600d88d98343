#pragma once

#include <CLI/CLI.hpp>
#include <istream>
#include <string>
#include <string_view>
#include <vector>

namespace kobolt::cli {

/// The YAML file of --config. A key is an option's name without dashes in front (`num-beams` or
/// `num_beams`). At the top level it counts for every command that has such an option; below a
/// command's name, for that command only. A key that no command knows is an error that names file,
/// key and the closest option.
class ConfigFile : public CLI::Config {
 public:
  explicit ConfigFile(const CLI::App& app) : app_(app) {}

  /// Throws CLI::ConfigError for unknown, repeated or misplaced keys, kobolt::Error for a file that
  /// is not YAML.
  std::vector<CLI::ConfigItem> from_config(std::istream& input) const override;
  /// Kobolt reads configurations and writes none.
  std::string to_config(const CLI::App* app, bool defaults, bool descriptions,
                        std::string prefix) const override;

  /// " (from FILE)" when `message` is about an option whose value came from the file.
  [[nodiscard]] std::string origin_of(std::string_view message) const;

 private:
  const CLI::App& app_;
  mutable std::string file_;
  mutable std::vector<std::string> supplied_;
};

}  // namespace kobolt::cli
