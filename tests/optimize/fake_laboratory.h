#pragma once

#include <algorithm>
#include <functional>
#include <map>
#include <set>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "benchmark/fake_clock.h"
#include "kobolt/error.h"
#include "optimize/laboratory.h"

namespace kobolt {

/// A machine with settings of known speed, size and quality.
class FakeLaboratory : public Laboratory {
 public:
  struct Engine {
    double speed = 1;
    std::uint64_t bytes = 1000;
    /// Whether it writes what the reference says.
    std::function<bool(std::size_t document)> right = [](std::size_t) { return true; };
    std::string error;
    double latency = 0;  ///< p95; 0 = follows from the speed
  };
  static constexpr double kSecondsPerDocument = 0.01;

  explicit FakeLaboratory(FakeClock& clock) : clock_(clock) {}

  Engine& operator[](const std::string& name) { return engines_[name]; }
  /// What those have that were not named.
  Engine& other() { return other_; }
  /// The power fails when this many more documents have been summarised.
  void fail_after(std::size_t documents) { left_ = documents; }
  /// How often a document was summarised by a setting.
  [[nodiscard]] int most_repeated() const {
    int most = 0;
    for (const auto& [key, count] : summarized_) most = std::max(most, count);
    return most;
  }
  [[nodiscard]] std::set<std::string> settings() const {
    std::set<std::string> names;
    for (const auto& [key, count] : summarized_) names.insert(key.first);
    return names;
  }

  std::uint64_t file_bytes(const Setting& setting) override { return engine(setting).bytes; }

  std::vector<std::string> summarize(const Setting& setting,
                                     std::span<const std::size_t> documents) override {
    std::vector<std::string> summaries;
    for (const std::size_t document : documents) {
      if (left_-- == 0) throw std::logic_error("power failure");
      clock_.pass(kSecondsPerDocument);
      ++summarized_[{name_of(setting), document}];
      summaries.emplace_back(engine(setting).right(document) ? "one two three four"
                                                             : "five six seven eight");
    }
    return summaries;
  }

  std::vector<SettingTimes> time(std::span<const Setting> settings, int rounds) override {
    std::vector<SettingTimes> times;
    for (const Setting& setting : settings) {
      const double speed = engine(setting).speed / engine(settings.front()).speed;
      times.push_back({.speed = {.low = speed, .ratio = speed, .high = speed, .confidence = 1},
                       .latency = 1 / engine(setting).speed,
                       .latency_p95 = engine(setting).latency > 0 ? engine(setting).latency
                                                                  : 2 / engine(setting).speed,
                       .throughput = engine(setting).speed});
      clock_.pass(0.01 * rounds);
    }
    return times;
  }

  std::uint64_t peak_memory(const Setting& setting) override { return 2 * engine(setting).bytes; }

 private:
  const Engine& engine(const Setting& setting) {
    const auto found = engines_.find(name_of(setting));
    const Engine& engine = found == engines_.end() ? other_ : found->second;
    if (!engine.error.empty()) throw Error(ErrorKind::unsupported, engine.error);
    return engine;
  }

  FakeClock& clock_;
  std::map<std::string, Engine> engines_;
  Engine other_{.speed = 0.5, .bytes = 2000};
  std::map<std::pair<std::string, std::size_t>, int> summarized_;
  std::size_t left_ = static_cast<std::size_t>(-1);
};

}  // namespace kobolt
