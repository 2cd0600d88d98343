#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "cli/bench_report.h"
#include "cli/comparison.h"
#include "cli/optimize_report.h"
#include "cli/table.h"
#include "report/chart.h"
#include "report/page.h"

namespace kobolt::cli {
namespace {

constexpr int kSeriesColors = 8;

bool is_finalist(const Trial& trial) { return trial.state == TrialState::finalist; }

// Of the trials that are drawn: finalists first, so that they have the same colour everywhere.
std::vector<const Trial*> drawn(const OptimizeResult& result) {
  std::vector<const Trial*> trials;
  for (const bool finalists : {true, false}) {
    for (const Trial& trial : result.trials) {
      if (is_finalist(trial) == finalists && (finalists || trial.on_front)) {
        trials.push_back(&trial);
      }
    }
  }
  return trials;
}

int color_at(std::size_t place) { return static_cast<int>(place) % kSeriesColors; }

std::string megabytes(std::uint64_t bytes) {
  return bytes == 0 ? std::string() : format_bytes(static_cast<double>(bytes));
}

std::string percent_interval(double low, double high) {
  return fmt::format("{:.1f} to {:.1f} %", low * 100, high * 100);
}

std::string kept_interval(const GateMeasure& measure) {
  return percent_interval(measure.kept_low(), measure.kept_high());
}

PageSection finalists_section(const OptimizeReport& report) {
  const OptimizeResult& result = report.result;
  std::vector<std::vector<PageCell>> rows;
  for (std::size_t i = 0; i < result.trials.size(); ++i) {
    const Trial& trial = result.trials[i];
    if (!is_finalist(trial)) continue;
    const GateMeasure& rouge_l = trial.held_back->measures[2];
    const GateMeasure& length = trial.held_back->measures[3];
    rows.push_back(
        {{.text = trial.name, .small = verdict_text(report, i), .color = color_at(rows.size())},
         {.text = format_seconds(trial.latency),
          .small = "p95 " + format_seconds(trial.latency_p95)},
         {.text = fmt::format("{:.1f}", trial.throughput)},
         {.text = i == 0 ? "1" : speed_text(trial.speed.ratio),
          .small = i == 0 ? "" : interval_text(trial.speed),
          .strong = true},
         {.text = fmt::format("{:.4f}", rouge_l.candidate),
          .small = fmt::format("{:.1f} % kept", rouge_l.kept * 100)},
         {.text = fmt::format("{:.1f}", length.candidate),
          .small = fmt::format("{:.1f} %", length.kept * 100)},
         {.text = megabytes(trial.file_bytes)},
         {.text = megabytes(trial.peak_memory)}});
  }
  return {.title = "The best, beside fp32",
          .note = fmt::format("ROUGE and length are those of {} documents that the search did not "
                              "see. Speeds are ratios within rounds, taken in turns, with their "
                              "99 % intervals.",
                              result.held_back_documents),
          .html = table_html({"Method", "Time (p50)", "Documents/s", "Speed-up", "ROUGE-L",
                              "Length", "File", "Peak memory"},
                             rows),
          .wide = true};
}

PageSection front_section(const OptimizeReport& report) {
  std::vector<Point> points;
  const auto trials = drawn(report.result);
  for (std::size_t i = 0; i < trials.size(); ++i) {
    const Trial& trial = *trials[i];
    points.push_back({.name = trial.name,
                      .color = color_at(i),
                      .x = trial.speed.ratio,
                      .y = trial.kept * 100,
                      .y_low = trial.kept_low * 100,
                      .y_high = trial.kept_high * 100});
  }
  return {.title = "Speed against quality",
          .note = fmt::format("The Pareto front of speed, size and quality, and the finalists, on "
                              "the {} documents that were searched on. Further right is faster, "
                              "higher keeps more: the least of ROUGE-1, -2 and -L, with its 95 % "
                              "interval.",
                              report.result.searched_documents),
          .html = scatter_chart(points, "times as fast as fp32", "ROUGE kept, %")};
}

PageSection size_section(const OptimizeReport& report) {
  std::vector<Point> points;
  const auto trials = drawn(report.result);
  for (std::size_t i = 0; i < trials.size(); ++i) {
    points.push_back({.name = trials[i]->name,
                      .color = color_at(i),
                      .x = static_cast<double>(trials[i]->file_bytes) / 1e6,
                      .y = trials[i]->kept * 100});
  }
  return {.title = "Size against quality",
          .note = "The same settings by their engine files. Further left is smaller.",
          .html = scatter_chart(points, "engine file, MB", "ROUGE kept, %")};
}

PageSection gate_section(const OptimizeReport& report) {
  const OptimizeResult& result = report.result;
  const Trial& trial = result.trials[result.chosen.value_or(result.closest.value_or(0))];
  std::vector<std::vector<PageCell>> rows;
  for (const GateMeasure& measure : trial.held_back->measures) {
    const int decimals = measure.name == "length" ? 1 : 4;
    rows.push_back(
        {{.text = std::string(measure.name), .small = measure.passed ? "" : "not enough"},
         {.text = fmt::format("{:.{}f}", measure.baseline, decimals)},
         {.text = fmt::format("{:.{}f}", measure.candidate, decimals)},
         {.text = fmt::format("{:.2f} %", measure.kept * 100),
          .small = kept_interval(measure),
          .strong = true}});
  }
  return {
      .title = "Confirmed on documents held back",
      .note = fmt::format("{} beside fp32 on {} documents, with the 95 % interval of the paired "
                          "difference: the same documents for both.",
                          trial.name, result.held_back_documents),
      .html = table_html({"Measure", "fp32", "This", "Kept"}, rows)};
}

PageSection trials_section(const OptimizeReport& report) {
  static constexpr std::array kStates{"left on a sample", "left on all", "finalist", "failed"};
  static const std::vector<std::string> kColumns{"Setting",  "Documents", "Kept",
                                                 "Fidelity", "Speed-up",  "File"};
  std::vector<std::vector<PageCell>> rows;
  for (const Trial& trial : report.result.trials) {
    if (trial.state == TrialState::failed) {
      rows.push_back({{.text = trial.name, .small = trial.error}});
      rows.back().resize(kColumns.size());
      continue;
    }
    rows.push_back({{.text = trial.name, .small = kStates[static_cast<std::size_t>(trial.state)]},
                    {.text = fmt::format("{}", trial.documents)},
                    {.text = fmt::format("{:.1f} %", trial.kept * 100),
                     .small = percent_interval(trial.kept_low, trial.kept_high)},
                    {.text = fmt::format("{:.1f} %", trial.fidelity * 100)},
                    {.text = speed_text(trial.speed.ratio)},
                    {.text = megabytes(trial.file_bytes)}});
  }
  return {.title = "Everything that was tried",
          .note =
              "On the documents that were searched on. Few documents and rounds for what left "
              "early: such figures are rough. Fidelity is ROUGE-L against fp32's own summaries.",
          .html = table_html(kColumns, rows),
          .wide = true};
}

std::string how_it_was_judged(const OptimizeReport& report) {
  const OptimizeResult& result = report.result;
  std::string text = fmt::format(
      "The data was cut into halves at random (seed {}). Settings were tried by successive halving "
      "on {} documents; the order of the best was fixed there, and only then were they judged on "
      "the {} others. The figures that count are those of the latter: on the documents that a "
      "setting was chosen by, it looks better than it is.",
      report.options.seed, result.searched_documents, result.held_back_documents);
  if (!result.refused.empty()) {
    text += " Ranked before the chosen one, and not confirmed:";
    for (const std::size_t i : result.refused) text += " " + result.trials[i].name + ";";
    text.back() = '.';
  }
  if (result.out_of_time) text += " Time ran out before ideas did: --minutes gives more.";
  return text + " Made by kobolt optimize; docs/optimize.md explains it.";
}

}  // namespace

std::string optimize_html(const OptimizeReport& report) {
  const OptimizeResult& result = report.result;
  const std::vector<std::string> facts{
      targets_text(report.options.targets), report.model,
      fmt::format("{} documents", result.searched_documents + result.held_back_documents),
      fmt::format("batch of {}", report.options.batch),
      fmt::format("{} settings in {:.0f} s", result.trials.size() - 1, result.seconds)};
  return html_page("Kobolt search", optimize_sentence(report), facts,
                   {finalists_section(report), front_section(report), size_section(report),
                    gate_section(report), trials_section(report)},
                   how_it_was_judged(report));
}

}  // namespace kobolt::cli
