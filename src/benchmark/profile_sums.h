#pragma once

#include <optional>
#include <span>
#include <vector>

#include "kobolt/profile.h"

namespace kobolt {

/// What the events of some batches come to, the means of a batch.
struct ProfileSums {
  std::vector<ProfileEntry> phases;
  std::vector<ProfileEntry> operators;
  std::vector<ProfileEntry> layers;
  std::vector<ProfileEntry> details;
};

/// Collects events; times of a phase are those of its own stretches, which hold its operators.
class ProfileCollector {
 public:
  explicit ProfileCollector(const std::optional<MachineCeilings>& ceilings) : ceilings_(ceilings) {}
  void add_batch(std::span<const TraceEvent> events);
  [[nodiscard]] ProfileSums sums() const;

 private:
  std::optional<MachineCeilings> ceilings_;
  double batches_ = 0;
  std::vector<ProfileEntry> phases_;
  std::vector<ProfileEntry> details_;
};

/// What the sums say about the slowest part, and what would help there.
struct Diagnosis {
  std::string bottleneck;
  std::vector<std::string> advice;
};
Diagnosis diagnose(const ProfileSums& sums, const Summarizer& summarizer,
                   const BenchmarkOptions& work);

}  // namespace kobolt
