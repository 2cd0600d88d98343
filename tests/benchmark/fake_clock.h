#pragma once

#include <algorithm>

#include "benchmark/clock.h"

namespace kobolt {

/// Time that passes only when told to: no test waits, none depends on the machine.
class FakeClock : public Clock {
 public:
  [[nodiscard]] double now() const override { return time_; }
  void sleep_until(double time) override { time_ = std::max(time_, time); }
  void pass(double seconds) { time_ += seconds; }

 private:
  double time_ = 1000;
};

}  // namespace kobolt
