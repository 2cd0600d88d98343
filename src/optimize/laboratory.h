#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "kobolt/optimize.h"
#include "optimize/trial_store.h"

namespace kobolt {

/// What the search can find out about a setting, each at a cost in time. All functions throw Error
/// for a setting that cannot be made or run.
class Laboratory {
 public:
  Laboratory() = default;
  Laboratory(const Laboratory&) = delete;
  Laboratory& operator=(const Laboratory&) = delete;
  virtual ~Laboratory() = default;

  virtual std::uint64_t file_bytes(const Setting& setting) = 0;
  /// Of these documents of the data, in this order.
  virtual std::vector<std::string> summarize(const Setting& setting,
                                             std::span<const std::size_t> documents) = 0;
  /// In turns, over `rounds`; the first one is what speeds are measured against.
  virtual std::vector<SettingTimes> time(std::span<const Setting> settings, int rounds) = 0;
  /// Peak resident memory of a process of its own; 0 where that cannot be measured.
  virtual std::uint64_t peak_memory(const Setting& setting) = 0;
};

}  // namespace kobolt
