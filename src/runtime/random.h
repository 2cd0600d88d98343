#pragma once

#include <cstdint>

namespace kobolt {

/// Random numbers for sampling: SplitMix64, one independent stream a document and sequence, so that
/// what one document draws does not depend on what else is in the batch.
class Random {
 public:
  Random(std::uint64_t seed, std::uint64_t document, std::uint64_t sequence)
      : state_(mix(mix(mix(seed) + document) + sequence)) {}

  /// Uniform in the open interval (0, 1).
  double uniform() {
    state_ += 0x9E3779B97F4A7C15U;
    constexpr double kUnit = 1.0 / 9007199254740992.0;  // 2^-53
    return (static_cast<double>(mix(state_) >> 11U) + 0.5) * kUnit;
  }

 private:
  static std::uint64_t mix(std::uint64_t z) {
    z = (z ^ (z >> 30U)) * 0xBF58476D1CE4E5B9U;
    z = (z ^ (z >> 27U)) * 0x94D049BB133111EBU;
    return z ^ (z >> 31U);
  }

  std::uint64_t state_;
};

}  // namespace kobolt
