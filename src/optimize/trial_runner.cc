#include "optimize/trial_runner.h"

#include <fmt/format.h>

#include <algorithm>
#include <new>
#include <set>
#include <utility>

#include "base/hash.h"
#include "kobolt/error.h"
#include "optimize/setting.h"

namespace kobolt {
namespace {

// Times of the first look and of the last one; the latter takes enough rounds for a 99 % interval.
constexpr const char* kScreening = "screening";
constexpr const char* kJudging = "judging";
constexpr int kScreeningRounds = 4;
constexpr int kJudgingRounds = 8;
constexpr int kFinalRounds = 20;
// What a process of its own takes to start and to measure its memory.
constexpr double kMemorySeconds = 1;

void set_times(Trial& trial, const SettingTimes& times) {
  trial.speed = times.speed;
  trial.latency = times.latency;
  trial.latency_p95 = times.latency_p95;
  trial.throughput = times.throughput;
}

std::vector<std::size_t> missing(const TrialRecord& record,
                                 std::span<const std::size_t> documents) {
  std::vector<std::size_t> left(documents.begin(), documents.end());
  std::erase_if(left, [&](std::size_t d) { return record.summaries.contains(d); });
  return left;
}

// Times in turns are times beside those others, so they count for that company only.
std::string stage_of(std::span<Trial*> trials) {
  std::set<std::string> sorted;
  for (const Trial* trial : trials) sorted.insert(trial->name);
  std::string names;
  for (const std::string& name : sorted) names += name + "\n";
  return "in turns " + hash128_hex({{std::as_bytes(std::span(names))}});
}

}  // namespace

Setting baseline_setting() { return {}; }

Trial TrialRunner::fresh(const Setting& setting) {
  return {.setting = setting, .name = name_of(setting)};
}

TrialRunner::TrialRunner(const OptimizeOptions& options, const Split& split, Laboratory& laboratory,
                         TrialStore& store, Clock& clock)
    : options_(options),
      split_(split),
      laboratory_(laboratory),
      store_(store),
      clock_(clock),
      baseline_(fresh(baseline_setting())) {
  measure_baseline();
}

void TrialRunner::measure_baseline() {
  report("the fp32 engine, " + std::to_string(split_.search.size()) + " documents");
  if (!judged_before(baseline_, split_.search.size())) {
    measure(baseline_, [&](TrialRecord& found) {
      summarize(baseline_, split_.search, found);
      const Setting settings[] = {baseline_.setting};
      found.times[kJudging] = laboratory_.time(settings, kJudgingRounds).front();
    });
  }
  const TrialRecord& record = store_.find(baseline_.name);
  if (!record.error.empty()) {
    throw Error(ErrorKind::invalid_argument, "the fp32 engine cannot be run: " + record.error);
  }
  set_times(baseline_, record.times.at(kJudging));
  baseline_.file_bytes = record.file_bytes;
  baseline_.peak_memory = record.peak_memory;
  baseline_.state = TrialState::judged;
  baseline_.documents = split_.search.size();
  seconds_per_document_ = record.seconds / static_cast<double>(split_.search.size());
  set_quality(baseline_,
              Judge(options_, record.summaries).compare(record.summaries, split_.search));
}

bool TrialRunner::measure(Trial& trial, const std::function<void(TrialRecord&)>& work) {
  TrialRecord found;
  const double start = clock_.now();
  try {
    work(found);
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::io) throw;  // the machine's fault, not the setting's
    found.error = error.what();
  } catch (const std::bad_alloc&) {
    found.error = "out of memory";
  }
  found.seconds = clock_.now() - start;
  store_.add(trial.name, found);
  if (found.error.empty()) return true;
  trial.state = TrialState::failed;
  trial.error = found.error;
  return false;
}

void TrialRunner::summarize(Trial& trial, std::span<const std::size_t> documents,
                            TrialRecord& found) {
  const std::vector<std::size_t> left = missing(store_.find(trial.name), documents);
  found.file_bytes = laboratory_.file_bytes(trial.setting);
  std::vector<std::string> summaries = laboratory_.summarize(trial.setting, left);
  for (std::size_t i = 0; i < left.size(); ++i) found.summaries[left[i]] = std::move(summaries[i]);
}

bool TrialRunner::judged_before(const Trial& trial, std::size_t documents) const {
  const TrialRecord& record = store_.find(trial.name);
  if (!record.error.empty()) return true;
  const bool all = documents == split_.search.size();
  return missing(record, std::span(split_.search).first(documents)).empty() &&
         record.times.contains(all ? kJudging : kScreening);
}

std::vector<Trial> TrialRunner::judged_before() const {
  std::vector<Trial> known;
  for (const std::string& name : store_.settings()) {
    Trial trial = fresh(setting_from_name(name));
    if (!store_.find(name).error.empty()) continue;
    if (judged_before(trial, split_.search.size())) known.push_back(std::move(trial));
  }
  return known;
}

bool TrialRunner::judge(Trial& trial, std::size_t documents) {
  const bool all = documents == split_.search.size();
  const char* stage = all ? kJudging : kScreening;
  const auto judged_on = std::span(split_.search).first(documents);
  if (!judged_before(trial, documents)) {
    report(trial.name + fmt::format(", {} documents", documents));
    measure(trial, [&](TrialRecord& found) {
      summarize(trial, judged_on, found);
      const Setting settings[] = {baseline_.setting, trial.setting};
      found.times[stage] =
          laboratory_.time(settings, all ? kJudgingRounds : kScreeningRounds).back();
      if (options_.targets.memory && store_.find(trial.name).peak_memory == 0) {
        found.peak_memory = laboratory_.peak_memory(trial.setting);
      }
    });
  }
  const TrialRecord& record = store_.find(trial.name);
  if (!record.error.empty()) {
    trial.state = TrialState::failed;
    trial.error = record.error;
    return false;
  }
  set_times(trial, record.times.at(stage));
  trial.file_bytes = record.file_bytes;
  trial.peak_memory = record.peak_memory;
  trial.documents = documents;
  if (all) trial.state = TrialState::judged;
  const Judge judge(options_, store_.find(baseline_.name).summaries);
  trial.fidelity = judge.fidelity(record.summaries, judged_on);
  // A few documents may be too hard for the baseline itself: then they say nothing.
  if (judge.can_tell(judged_on)) set_quality(trial, judge.compare(record.summaries, judged_on));
  return true;
}

void TrialRunner::measure_memory(Trial& trial) {
  if (store_.find(trial.name).peak_memory == 0) {
    measure(trial, [&](TrialRecord& found) {
      found.peak_memory = laboratory_.peak_memory(trial.setting);
    });
  }
  trial.peak_memory = store_.find(trial.name).peak_memory;
}

void TrialRunner::time_in_turns(std::span<Trial*> trials) {
  const std::string stage = stage_of(trials);
  const bool known = std::ranges::all_of(
      trials, [&](const Trial* trial) { return store_.find(trial->name).times.contains(stage); });
  if (!known) {
    std::vector<Setting> settings;
    settings.reserve(trials.size());
    for (const Trial* trial : trials) settings.push_back(trial->setting);
    // Whoever gave so little time that it is over has it for the fewest rounds only.
    const bool late = store_.seconds() >= options_.minutes * 60;
    const double start = clock_.now();
    const std::vector<SettingTimes> times =
        laboratory_.time(settings, late ? kJudgingRounds : kFinalRounds);
    const double seconds = (clock_.now() - start) / static_cast<double>(trials.size());
    for (std::size_t i = 0; i < trials.size(); ++i) {
      store_.add(trials[i]->name, {.seconds = seconds, .times = {{stage, times[i]}}});
    }
  }
  for (Trial* trial : trials) set_times(*trial, store_.find(trial->name).times.at(stage));
}

void TrialRunner::compare_finalists(std::span<Trial*> finalists) {
  for (Trial* trial : finalists) {
    if (!missing(store_.find(trial->name), split_.held_back).empty()) {
      report(fmt::format("{}, {} documents held back", trial->name, split_.held_back.size()));
      if (!measure(*trial,
                   [&](TrialRecord& found) { summarize(*trial, split_.held_back, found); })) {
        throw Error(ErrorKind::invalid_argument, trial->name + ": " + trial->error);
      }
    }
    measure_memory(*trial);
  }
  report("the best, in turns");
  time_in_turns(finalists);
  const Judge judge(options_, store_.find(baseline_.name).summaries);
  for (Trial* trial : finalists) {
    trial->held_back = judge.compare(store_.find(trial->name).summaries, split_.held_back);
    trial->state = TrialState::finalist;
  }
}

bool TrialRunner::time_left(std::size_t finalists) const {
  const double engines = static_cast<double>(finalists) + 1;
  const auto documents = static_cast<double>(split_.held_back.size());
  constexpr double kTurn = 0.06;
  const double turns = kFinalRounds * engines * std::max(kTurn, baseline_.latency);
  // Finalists are faster than the baseline, as a rule more than twice.
  constexpr double kOfBaseline = 0.4;
  const double baselines = 1 + kOfBaseline * static_cast<double>(finalists);
  const double reserve =
      baselines * documents * seconds_per_document_ + engines * kMemorySeconds + turns;
  return store_.seconds() + reserve < options_.minutes * 60;
}

void TrialRunner::report(const std::string& text,
                         const std::optional<std::string>& finished) const {
  if (!options_.progress) return;
  options_.progress({.seconds = store_.seconds(),
                     .budget = options_.minutes * 60,
                     .text = text,
                     .finished = finished});
}

}  // namespace kobolt
