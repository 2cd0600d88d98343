#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "kobolt/compare.h"
#include "optimize/sqlite.h"

namespace kobolt {

/// Speed of a setting beside the baseline's.
struct SettingTimes {
  RatioInterval speed;  ///< documents a second, times the baseline's
  double latency = 0;   ///< seconds, p50 of a batch
  double latency_p95 = 0;
  double throughput = 0;  ///< documents a second
};

/// What is known of a setting.
struct TrialRecord {
  std::uint64_t file_bytes = 0;                  ///< 0: not known yet
  std::uint64_t peak_memory = 0;                 ///< likewise
  double seconds = 0;                            ///< that its measurements took
  std::string error;                             ///< why it cannot be made or run
  std::map<std::size_t, std::string> summaries;  ///< by the document's place in the data
  std::map<std::string, SettingTimes> times;     ///< by the stage that they were taken in
};

/// All trials of a search, in a database that holds each measurement as soon as it is made: what
/// was measured is never measured again, also after a kill.
class TrialStore {
 public:
  /// What the measurements depend on, by name: model, data, machine and the like.
  using Description = std::map<std::string, std::string>;

  /// Opens or makes the file. Throws Error(invalid_argument) naming what differs where it holds
  /// trials of another description, and what Sqlite throws.
  TrialStore(const std::filesystem::path& file, const Description& description);

  /// What is known of a setting, by its name.
  [[nodiscard]] const TrialRecord& find(const std::string& setting) const;
  /// Names of all settings that something is known of.
  [[nodiscard]] std::vector<std::string> settings() const;
  [[nodiscard]] std::size_t trials() const { return records_.size(); }
  [[nodiscard]] double seconds() const;  ///< of all measurements

  /// Adds what was found out in `seconds`: fields that are 0 or empty add nothing.
  void add(const std::string& setting, const TrialRecord& found);

 private:
  void check_description(const std::filesystem::path& file, const Description& description);
  void read();
  std::int64_t row_of(const std::string& setting);

  Sqlite database_;
  std::map<std::string, TrialRecord, std::less<>> records_;
};

}  // namespace kobolt
