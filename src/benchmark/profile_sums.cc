#include "benchmark/profile_sums.h"

#include <algorithm>
#include <utility>

namespace kobolt {
namespace {

// The entry of this phase, operator and layer, made where there is none.
ProfileEntry& entry_of(std::vector<ProfileEntry>& entries, Phase phase, std::string_view name,
                       int layer) {
  for (ProfileEntry& entry : entries) {
    if (entry.phase == phase && entry.layer == layer && entry.name == name) return entry;
  }
  return entries.emplace_back(
      ProfileEntry{.phase = phase, .name = std::string(name), .layer = layer});
}

void add_to(ProfileEntry& sum, const ProfileEntry& part) {
  sum.calls += part.calls;
  sum.seconds += part.seconds;
  sum.operations += part.operations;
  sum.bytes += part.bytes;
  sum.least_arithmetic += part.least_arithmetic;
  sum.least_reading += part.least_reading;
  sum.least += part.least;
}

void by_time(std::vector<ProfileEntry>& entries) {
  std::ranges::stable_sort(
      entries, [](const ProfileEntry& a, const ProfileEntry& b) { return a.seconds > b.seconds; });
}

}  // namespace

double ProfileEntry::share_of_ceiling() const { return seconds > 0 ? least / seconds : 0; }

void ProfileCollector::add_batch(std::span<const TraceEvent> events) {
  ++batches_;
  for (const TraceEvent& event : events) {
    const bool whole_phase = *event.name == '\0';
    ProfileEntry part{.calls = 1,
                      .seconds = event.end - event.begin,
                      .operations = event.cost.operations,
                      .bytes = event.cost.bytes};
    if (ceilings_) {
      part.least_arithmetic = event.cost.operations / ceilings_->operations(event.cost.arithmetic);
      part.least_reading = event.cost.bytes / ceilings_->read;
      part.least = std::max(part.least_arithmetic, part.least_reading);
    }
    ProfileEntry& phase = entry_of(phases_, event.phase, "", -1);
    if (whole_phase) {
      phase.calls += 1;
      phase.seconds += part.seconds;
      continue;
    }
    add_to(entry_of(details_, event.phase, event.name, event.layer), part);
    phase.operations += part.operations;
    phase.bytes += part.bytes;
    phase.least_arithmetic += part.least_arithmetic;
    phase.least_reading += part.least_reading;
    phase.least += part.least;
  }
}

ProfileSums ProfileCollector::sums() const {
  ProfileSums sums;
  const auto mean = [&](ProfileEntry entry) {
    for (double* value : {&entry.calls, &entry.seconds, &entry.operations, &entry.bytes,
                          &entry.least_arithmetic, &entry.least_reading, &entry.least}) {
      *value /= batches_;
    }
    return entry;
  };
  for (const ProfileEntry& phase : phases_) sums.phases.push_back(mean(phase));
  std::ranges::sort(sums.phases, {}, &ProfileEntry::phase);
  for (const ProfileEntry& detail : details_) {
    const ProfileEntry entry = mean(detail);
    sums.details.push_back(entry);
    add_to(entry_of(sums.operators, entry.phase, entry.name, -1), entry);
    if (entry.layer >= 0) add_to(entry_of(sums.layers, entry.phase, "", entry.layer), entry);
  }
  by_time(sums.operators);
  std::ranges::stable_sort(sums.layers, [](const ProfileEntry& a, const ProfileEntry& b) {
    return std::pair(a.phase, a.layer) < std::pair(b.phase, b.layer);
  });
  return sums;
}

}  // namespace kobolt
