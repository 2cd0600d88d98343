#pragma once

#include <chrono>
#include <thread>

namespace kobolt {

/// Where measuring takes its time from; tests bring their own.
class Clock {
 public:
  Clock() = default;
  Clock(const Clock&) = delete;
  Clock& operator=(const Clock&) = delete;
  virtual ~Clock() = default;

  /// Seconds since some fixed moment.
  [[nodiscard]] virtual double now() const = 0;
  /// Returns at once where `time` has passed.
  virtual void sleep_until(double time) = 0;
};

/// The time of the machine, which no adjustment of its date touches.
class SteadyClock : public Clock {
 public:
  [[nodiscard]] double now() const override {
    return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch())
        .count();
  }
  void sleep_until(double time) override {
    const double left = time - now();
    if (left > 0) std::this_thread::sleep_for(std::chrono::duration<double>(left));
  }
};

}  // namespace kobolt
