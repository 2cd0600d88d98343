#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <span>
#include <vector>

namespace kobolt {

/// Documents that nobody has begun, longest first: late in a run only short ones are left, and
/// those that are taken together are of like length. Several threads may take.
class WaitingDocuments {
 public:
  explicit WaitingDocuments(std::span<const std::vector<std::int32_t>> documents);

  /// Moves the indices of documents for `free` of a taker's `places` to `taken`, none while they
  /// would be few and short: another step may free more places. Encoding wants many tokens at once,
  /// but decoding rows share the cost of reading the weights, so a quarter of the places is the
  /// most that stays empty.
  void take(std::size_t free, std::size_t places, std::vector<std::size_t>& taken);
  /// Nobody will get any more.
  void stop() { stopped_.store(true, std::memory_order_relaxed); }
  [[nodiscard]] bool stopped() const { return stopped_.load(std::memory_order_relaxed); }

 private:
  std::span<const std::vector<std::int32_t>> documents_;
  std::mutex mutex_;
  std::vector<std::size_t> waiting_;  // taken from the back
  std::atomic<bool> stopped_{false};
};

}  // namespace kobolt
