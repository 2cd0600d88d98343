#include "optimize/explore.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <set>
#include <span>
#include <string>
#include <utility>

#include "optimize/halving.h"
#include "optimize/neighbours.h"
#include "optimize/space.h"

namespace kobolt {
namespace {

// Settings tried together, and those whose neighbours are tried next.
constexpr std::size_t kWave = 18;
constexpr std::size_t kParents = 4;

std::string line_of(const Trial& trial) {
  if (trial.state == TrialState::failed) {
    return fmt::format("{}: cannot be done: {}", trial.name, trial.error);
  }
  return fmt::format("{}: {:.2f}x as fast, {:.1f} MB, keeps {:.1f} % on {} documents", trial.name,
                     trial.speed.ratio, static_cast<double>(trial.file_bytes) / 1e6,
                     trial.kept * 100, trial.documents);
}

class Explorer {
 public:
  Explorer(TrialRunner& runner, const Goal& goal, const OptimizeSpace& space,
           const ModelConfig& config, std::size_t finalists)
      : runner_(runner),
        goal_(goal),
        space_(space),
        config_(config),
        finalists_(finalists),
        steps_(halving_steps(runner.search_documents())),
        tried_{runner.baseline().name} {}

  Exploration run() {
    std::vector<Trial> wave = untried(first_settings(space_));
    while (!wave.empty() && !found_.out_of_time) {
      climb(std::move(wave), steps_);
      climb(mixtures_to_size(), std::span(steps_).last(1));
      wave = next_wave();
      if (!wave.empty() || found_.out_of_time) continue;
      climb(second_chances(), std::span(steps_).last(1));
      recall();
      wave = next_wave();
    }
    recall();
    return std::move(found_);
  }

 private:
  // Each setting that no wave has had, once.
  std::vector<Trial> untried(const std::vector<Setting>& settings) {
    std::vector<Trial> wave;
    for (const Setting& setting : settings) {
      Trial trial = TrialRunner::fresh(setting);
      if (wave.size() < kWave && tried_.insert(trial.name).second) wave.push_back(std::move(trial));
    }
    return wave;
  }

  // The space without precisions that are much too large by themselves: some layers in them would
  // be as well.
  [[nodiscard]] OptimizeSpace affordable() const {
    OptimizeSpace space = space_;
    if (!goal_.targets.size) return space;
    constexpr double kMuch = 1.5;
    for (const Trial& trial : found_.trials) {
      const bool plain = trial.name == name_of(trial.setting.compile.precision);
      const auto bytes = static_cast<double>(trial.file_bytes);
      if (plain && bytes > kMuch * static_cast<double>(*goal_.targets.size)) {
        std::erase(space.precisions, trial.setting.compile.precision);
      }
    }
    return space;
  }

  // Of a trial that misses the quality what loses less; of others what costs less; both where more
  // quality is always better.
  [[nodiscard]] std::vector<Setting> relatives(const Trial& trial) const {
    const OptimizeSpace space = affordable();
    const bool lossy = goal_.targets.keep && trial.kept < *goal_.targets.keep;
    std::vector<Setting> settings;
    const auto add = [&](Change change) {
      std::ranges::move(neighbours(trial.setting, change, space, config_),
                        std::back_inserter(settings));
    };
    add(lossy ? Change::finer : Change::cheaper);
    if (goal_.prefer == OptimizeFor::quality && !lossy) add(Change::finer);
    return settings;
  }

  // int8 loses least for its size, so mixtures begin with it whatever came of it alone.
  [[nodiscard]] auto plain_int8() const {
    return std::ranges::find_if(found_.trials, [](const Trial& trial) {
      const CompileOptions& compile = trial.setting.compile;
      return compile.precision == Precision::int8 && compile.layers.empty() &&
             compile.int4_share == 0 && !trial.setting.pruning;
    });
  }

  // Those that just fit a size are few and what is asked for: all of them see all documents.
  std::vector<Trial> mixtures_to_size() {
    const auto int8 = plain_int8();
    if (!goal_.targets.size || int8 == found_.trials.end()) return {};
    return untried(
        mixed_to_size(int8->setting, int8->file_bytes, *goal_.targets.size, space_, config_));
  }

  // Neighbours of the best of the front that have untried ones; of each parent the first, then of
  // each the second ...
  std::vector<Trial> next_wave() {
    mark_front(found_.trials);
    std::vector<std::size_t> parents = ranked(goal_, found_.trials, Reading::doubtful);
    std::erase_if(parents, [&](std::size_t i) { return !found_.trials[i].on_front; });
    const auto int8 = plain_int8();
    if (int8 != found_.trials.end()) parents.insert(parents.begin(), int8 - found_.trials.begin());
    std::vector<std::vector<Setting>> families;
    for (const std::size_t i : parents) {
      if (families.size() == kParents) break;
      std::vector<Setting> family = relatives(found_.trials[i]);
      std::erase_if(family, [&](const Setting& s) { return tried_.contains(name_of(s)); });
      if (!family.empty()) families.push_back(std::move(family));
    }
    std::vector<Setting> settings;
    for (std::size_t i = 0;; ++i) {
      const std::size_t before = settings.size();
      for (const auto& family : families) {
        if (i < family.size()) settings.push_back(family[i]);
      }
      if (settings.size() == before) break;
    }
    return untried(settings);
  }

  // Where ideas have run out and time has not: the best of those that left on a sample are judged
  // on all documents.
  std::vector<Trial> second_chances() {
    std::vector<std::size_t> order = ranked(goal_, found_.trials, Reading::doubtful);
    std::erase_if(order, [&](std::size_t i) {
      return found_.trials[i].state != TrialState::screened ||
             shortfall(goal_, found_.trials[i], Reading::doubtful) > 0;
    });
    order.resize(std::min(order.size(), kParents));
    std::vector<Trial> wave;
    wave.reserve(order.size());
    for (const std::size_t i : order) wave.push_back(found_.trials[i]);
    std::erase_if(found_.trials, [&](const Trial& trial) {
      return std::ranges::find(wave, trial.name, &Trial::name) != wave.end();
    });
    return wave;
  }

  // What an earlier run, for other targets, judged on all documents counts here too: also where
  // this one did not come to it, or left it on a sample.
  void recall() {
    const std::size_t all = steps_.back();
    for (Trial& trial : found_.trials) {
      const bool sampled = trial.state == TrialState::screened;
      if (sampled && runner_.judged_before(trial, all)) runner_.judge(trial, all);
    }
    for (Trial& trial : runner_.judged_before()) {
      if (!within(trial.setting, space_) || !tried_.insert(trial.name).second) continue;
      runner_.judge(trial, all);
      found_.trials.push_back(std::move(trial));
    }
  }

  // Only the first trial of all is made whatever time is left, so that there is something to show.
  bool may_judge(const Trial& trial, std::size_t documents) {
    if (runner_.judged_before(trial, documents) || runner_.time_left(finalists_)) return true;
    return found_.trials.empty() && judged_ == 0;
  }

  void climb(std::vector<Trial> wave, std::span<const std::size_t> steps) {
    for (const std::size_t documents : steps) {
      std::vector<Trial> reached;
      for (Trial& trial : wave) {
        if (!may_judge(trial, documents)) {
          found_.out_of_time = true;
          if (trial.documents > 0) found_.trials.push_back(std::move(trial));
          continue;
        }
        ++judged_;
        const bool works = runner_.judge(trial, documents);
        runner_.report(trial.name, line_of(trial));
        (works ? reached : found_.trials).push_back(std::move(trial));
      }
      const bool last = documents == steps_.back() || found_.out_of_time;
      wave = last ? leave(reached, {}) : leave(reached, survivors(goal_, reached));
    }
  }

  // Those that do not go on leave the race; returns the others.
  std::vector<Trial> leave(std::vector<Trial>& trials, const std::vector<std::size_t>& going_on) {
    std::vector<Trial> wave;
    wave.reserve(going_on.size());
    for (const std::size_t i : going_on) wave.push_back(trials[i]);
    for (std::size_t i = 0; i < trials.size(); ++i) {
      if (std::ranges::find(going_on, i) == going_on.end()) {
        found_.trials.push_back(std::move(trials[i]));
      }
    }
    return wave;
  }

  TrialRunner& runner_;
  const Goal& goal_;
  const OptimizeSpace& space_;
  const ModelConfig& config_;
  std::size_t finalists_;
  std::vector<std::size_t> steps_;
  std::set<std::string> tried_;
  std::size_t judged_ = 0;
  Exploration found_;
};

}  // namespace

Exploration explore(TrialRunner& runner, const Goal& goal, const OptimizeSpace& space,
                    const ModelConfig& config, std::size_t finalists) {
  return Explorer(runner, goal, space, config, finalists).run();
}

}  // namespace kobolt
