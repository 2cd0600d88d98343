#include "cli/optimize_report.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <vector>

#include "cli/bench_report.h"
#include "cli/comparison.h"
#include "cli/gate_report.h"
#include "cli/table.h"

namespace kobolt::cli {
namespace {

std::string percent(double share) { return fmt::format("{:.1f} %", share * 100); }

std::string bytes_of(std::uint64_t bytes) {
  return bytes == 0 ? std::string() : format_bytes(static_cast<double>(bytes));
}

const GateMeasure& least_kept(const GateReport& quality) {
  std::size_t least = 0;
  for (std::size_t i = 1; i + 1 < quality.measures.size(); ++i) {
    if (quality.measures[i].kept < quality.measures[least].kept) least = i;
  }
  return quality.measures[least];
}

// What is kept of a measure, with its interval.
std::string kept_text(const GateMeasure& measure) {
  if (!(measure.baseline > 0)) return {};
  return fmt::format("{} ({:.1f} to {:.1f})", percent(measure.kept), 100 * measure.kept_low(),
                     100 * measure.kept_high());
}

std::vector<std::string> row_of(const OptimizeReport& report, std::size_t i) {
  const Trial& trial = report.result.trials[i];
  const GateMeasure& rouge_l = trial.held_back->measures[2];
  return {trial.name,
          format_seconds(trial.latency),
          fmt::format("{:.1f}", trial.throughput),
          i == 0 ? "1" : speed_text(trial.speed.ratio),
          i == 0 ? "" : interval_text(trial.speed),
          fmt::format("{:.4f}", rouge_l.candidate),
          i == 0 ? "" : kept_text(least_kept(*trial.held_back)),
          bytes_of(trial.file_bytes),
          bytes_of(trial.peak_memory),
          verdict_text(report, i)};
}

// What a trial misses: "the file has 6.1 MB".
std::string missed_text(const OptimizeTargets& targets, const Trial& trial,
                        std::uint64_t baseline) {
  std::vector<std::string> missed;
  if (targets.keep && trial.kept < *targets.keep) {
    missed.push_back(fmt::format("keeps {} of ROUGE", percent(trial.kept)));
  } else if (targets.keep && trial.held_back && !trial.held_back->passed) {
    missed.push_back(
        fmt::format("keeps {} on documents held back", percent(least_kept(*trial.held_back).kept)));
  }
  if (targets.latency && trial.latency_p95 > *targets.latency) {
    missed.push_back("takes " + format_seconds(trial.latency_p95));
  }
  const double share = static_cast<double>(trial.file_bytes) / static_cast<double>(baseline);
  if ((targets.size && trial.file_bytes > *targets.size) ||
      (targets.size_share && share > *targets.size_share)) {
    missed.push_back(
        fmt::format("has {} ({} of fp32)", bytes_of(trial.file_bytes), percent(share)));
  }
  if (targets.memory && trial.peak_memory > *targets.memory) {
    missed.push_back("needs " + bytes_of(trial.peak_memory) + " of memory");
  }
  return missed.empty() ? "meets all of it but not on documents held back"
                        : fmt::format("{}", fmt::join(missed, ", "));
}

std::string gain_text(const Trial& baseline, const Trial& trial) {
  std::string text = fmt::format("{:.2f} times as fast as fp32 ({})", trial.speed.ratio,
                                 interval_text(trial.speed));
  const double smaller =
      static_cast<double>(baseline.file_bytes) / static_cast<double>(trial.file_bytes);
  if (smaller >= 1.05) text += fmt::format(", {:.1f} times smaller", smaller);
  return text;
}

Json trial_json(const Trial& trial) {
  static constexpr const char* kStates[] = {"screened", "judged", "finalist", "failed"};
  Json json{{"setting", trial.name}, {"state", kStates[static_cast<std::size_t>(trial.state)]}};
  if (trial.state == TrialState::failed) {
    json["error"] = trial.error;
    return json;
  }
  json.update({{"documents", trial.documents},
               {"kept", trial.kept},
               {"kept_low", trial.kept_low},
               {"kept_high", trial.kept_high},
               {"fidelity", trial.fidelity},
               {"speed",
                {{"ratio", trial.speed.ratio},
                 {"low", trial.speed.low},
                 {"high", trial.speed.high},
                 {"confidence", trial.speed.confidence}}},
               {"p50", trial.latency},
               {"p95", trial.latency_p95},
               {"throughput", trial.throughput},
               {"file_bytes", trial.file_bytes}});
  if (trial.peak_memory > 0) json["peak_memory"] = trial.peak_memory;
  json["front"] = trial.on_front;
  if (trial.held_back) json["held_back"] = gate_json(*trial.held_back, {});
  return json;
}

}  // namespace

std::string verdict_text(const OptimizeReport& report, std::size_t i) {
  const OptimizeResult& result = report.result;
  if (result.chosen == i) return "chosen";
  if (i == 0) return "the baseline";
  if (result.closest == i) return "closest";
  const Trial& trial = result.trials[i];
  if (trial.held_back && report.options.targets.keep && !trial.held_back->passed) {
    return "fails the gate";
  }
  return {};
}

std::string targets_text(const OptimizeTargets& targets) {
  std::vector<std::string> parts;
  if (targets.keep) parts.push_back(fmt::format("keep {:g} %", *targets.keep * 100));
  if (targets.latency) {
    parts.push_back(fmt::format("p95 within {}", format_seconds(*targets.latency)));
  }
  if (targets.size) parts.push_back(fmt::format("a file of {}", bytes_of(*targets.size)));
  if (targets.size_share) {
    parts.push_back(fmt::format("a file of {:g} % of fp32", *targets.size_share * 100));
  }
  if (targets.memory) parts.push_back(fmt::format("{} of memory", bytes_of(*targets.memory)));
  return fmt::format("{}", fmt::join(parts, " and "));
}

std::string optimize_sentence(const OptimizeReport& report) {
  const OptimizeResult& result = report.result;
  const Trial& baseline = result.trials.front();
  if (result.chosen == 0) {
    return fmt::format("fp32 stays: nothing else that was tried meets {}.",
                       targets_text(report.options.targets));
  }
  if (result.chosen) {
    const Trial& trial = result.trials[*result.chosen];
    const GateMeasure& least = least_kept(*trial.held_back);
    return fmt::format(
        "{} is {}, and keeps {} of its {} (95 % interval {:.1f} to {:.1f}) on {} documents that "
        "the search did not see.",
        trial.name, gain_text(baseline, trial), percent(least.kept), least.name,
        100 * least.kept_low(), 100 * least.kept_high(), result.held_back_documents);
  }
  const Trial& closest = result.trials[*result.closest];
  return fmt::format("Nothing that was tried meets {}. The closest is {}: it {}.",
                     targets_text(report.options.targets), closest.name,
                     missed_text(report.options.targets, closest, baseline.file_bytes));
}

std::string optimize_text(const OptimizeReport& report) {
  Table table({{.title = "method"},
               {.title = "time (p50)", .align = Align::right},
               {.title = "documents/s", .align = Align::right},
               {.title = "speed-up", .align = Align::right},
               {.title = "99 % interval", .align = Align::right},
               {.title = "ROUGE-L", .align = Align::right},
               {.title = "kept (95 % interval)", .align = Align::right},
               {.title = "file", .align = Align::right},
               {.title = "peak memory", .align = Align::right},
               {.title = ""}});
  const OptimizeResult& result = report.result;
  for (std::size_t i = 0; i < result.trials.size(); ++i) {
    if (result.trials[i].state == TrialState::finalist) table.add_row(row_of(report, i));
  }
  std::string text = table.text() + "\n" + optimize_sentence(report) + "\n";
  text += fmt::format(
      "Quality: {} documents held back, the least of ROUGE-1, -2 and -L. Speed: in turns, batch "
      "{}. "
      "{} settings tried in {:.0f} s.\n",
      result.held_back_documents, report.options.batch, result.trials.size() - 1, result.seconds);
  return text;
}

Json optimize_json(const OptimizeReport& report) {
  const OptimizeResult& result = report.result;
  Json json{{"model", report.model},
            {"data", report.data},
            {"searched_documents", result.searched_documents},
            {"held_back_documents", result.held_back_documents},
            {"seconds", result.seconds},
            {"out_of_time", result.out_of_time},
            {"resumed_trials", result.resumed_trials},
            {"summary", optimize_sentence(report)}};
  json["chosen"] = result.chosen ? Json(result.trials[*result.chosen].name) : Json(nullptr);
  if (result.closest) json["closest"] = result.trials[*result.closest].name;
  json["refused"] = Json::array();
  for (const std::size_t i : result.refused) json["refused"].push_back(result.trials[i].name);
  json["trials"] = Json::array();
  for (const Trial& trial : result.trials) json["trials"].push_back(trial_json(trial));
  return json;
}

}  // namespace kobolt::cli
