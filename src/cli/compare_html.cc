#include <fmt/format.h>

#include <algorithm>

#include "cli/bench_report.h"
#include "cli/compare_report.h"
#include "cli/table.h"
#include "report/chart.h"
#include "report/page.h"

namespace kobolt::cli {
namespace {

constexpr int kSeriesColors = 8;
constexpr double kMega = 1e6;

int color_of(std::size_t system) { return static_cast<int>(system) % kSeriesColors; }

std::string bytes_text_of(std::uint64_t bytes) { return format_bytes(static_cast<double>(bytes)); }

PageSection overview(const ComparisonReport& report) {
  const bool quality = report.systems.front().quality.has_value();
  std::vector<std::string> titles{"System", "Speed", "Latency p50", "p95", "Documents/s"};
  if (quality) titles.emplace_back("ROUGE-L");
  for (const char* title : {"File", "Peak memory", "Cold start"}) titles.emplace_back(title);
  std::vector<std::vector<PageCell>> rows;
  for (std::size_t i = 0; i < report.systems.size(); ++i) {
    const ComparedSystem& system = report.systems[i];
    const ComparedEngine& m = system.measured;
    std::vector<PageCell> row{
        {.text = system.label, .small = system.precision, .color = color_of(i)},
        {.text = i == 0 ? "1" : speed_text(m.speed.ratio),
         .small = i == 0 ? "the first" : interval_text(m.speed) + ", " + verdict_text(report, i),
         .strong = true},
        {.text = format_seconds(m.latency.p50),
         .small = m.first_token ? format_seconds(m.first_token->p50) + " to first token" : ""},
        {.text = format_seconds(m.latency.p95)},
        {.text = fmt::format("{:.2f}", m.throughput),
         .small = fmt::format("{:.0f} tokens/s", m.tokens_per_second)}};
    if (system.quality) {
      row.push_back({.text = fmt::format("{:.4f}", system.quality->rouge_l),
                     .small = fmt::format("{:.1f} % kept", system.quality->kept * 100)});
    }
    row.push_back({.text = bytes_text_of(m.memory.engine)});
    row.push_back({.text = bytes_text_of(m.memory.peak_resident)});
    row.push_back(
        {.text = system.cold_first_token > 0 ? format_seconds(system.cold_first_token) : "",
         .small = format_seconds(system.load_seconds) + " to load"});
    rows.push_back(std::move(row));
  }
  return {
      .title = "All figures",
      .note = fmt::format("Speed is the ratio to {} within each round, with its {:g} % interval. "
                          "An interval that holds 1 is inside the noise.",
                          report.systems.front().label, report.confidence * 100),
      .html = table_html(titles, rows),
      .wide = true};
}

PageSection speed_section(const ComparisonReport& report) {
  std::vector<IntervalRow> rows;
  for (std::size_t i = 0; i < report.systems.size(); ++i) {
    const ComparedSystem& system = report.systems[i];
    const RatioInterval& speed = system.measured.speed;
    rows.push_back(
        {.row = {.name = system.label,
                 .value = i == 0 ? "the first"
                                 : speed_text(speed.ratio) + " · " + verdict_text(report, i),
                 .color = color_of(i)},
         .low = speed.low,
         .middle = speed.ratio,
         .high = speed.high});
  }
  return {.title = "Speed",
          .note =
              "Times as fast as the first, further right is faster. Dot: the estimate. Bar "
              "through it: where the truth lies.",
          .html = interval_chart(rows, 1, report.systems.front().label, "x")};
}

PageSection quality_section(const ComparisonReport& report) {
  std::vector<Point> points;
  for (std::size_t i = 0; i < report.systems.size(); ++i) {
    const ComparedSystem& system = report.systems[i];
    if (!system.quality) continue;
    const RatioInterval& speed = system.measured.speed;
    Point point{.name = system.label,
                .color = color_of(i),
                .x = speed.ratio,
                .y = system.quality->kept * 100};
    if (i > 0) {
      point.x_low = speed.low;
      point.x_high = speed.high;
      point.y_low = system.quality->kept_low * 100;
      point.y_high = system.quality->kept_high * 100;
    }
    points.push_back(point);
  }
  return {.title = "Speed against quality",
          .note = fmt::format("Further right is faster, higher is better. ROUGE-L over {} "
                              "documents; bars are intervals of the paired difference.",
                              report.documents),
          .html = scatter_chart(points, "times as fast", "ROUGE-L kept, %")};
}

PageSection latency_section(const ComparisonReport& report) {
  std::vector<SampleRow> rows;
  // In the unit that the slowest one is read in.
  double most = 0;
  for (const ComparedSystem& system : report.systems) {
    most = std::max(most, system.measured.latency.max);
  }
  const bool seconds = most >= 1;
  for (std::size_t i = 0; i < report.systems.size(); ++i) {
    const TimeSummary& latency = report.systems[i].measured.latency;
    SampleRow row{.row = {.name = report.systems[i].label,
                          .value = fmt::format("p50 {} · p99 {}", format_seconds(latency.p50),
                                               format_seconds(latency.p99)),
                          .color = color_of(i)},
                  .values = report.systems[i].measured.times};
    for (double& value : row.values) value *= seconds ? 1 : 1e3;
    rows.push_back(std::move(row));
  }
  return {.title = "Latency",
          .note =
              "How often a batch took how long, further left is faster. Line: median. Ring: the "
              "time that 99 of 100 keep.",
          .html = sample_chart(rows, seconds ? "s" : "ms")};
}

PageSection memory_section(const ComparisonReport& report) {
  std::vector<PartsRow> rows;
  for (std::size_t i = 0; i < report.systems.size(); ++i) {
    const MemoryUse& memory = report.systems[i].measured.memory;
    const double weights = static_cast<double>(memory.weights) / kMega;
    const double cache = static_cast<double>(memory.kv_cache) / kMega;
    const double peak = static_cast<double>(memory.peak_resident) / kMega;
    rows.push_back({.row = {.name = report.systems[i].label,
                            .value = bytes_text_of(memory.peak_resident) + " at most",
                            .color = color_of(i)},
                    .parts = {weights, cache, std::max(0.0, peak - weights - cache)}});
  }
  return {
      .title = "Memory",
      .note = "Resident at most, in a process of its own that ran one batch; shorter is better.",
      .html = parts_chart(rows, {"weights", "KV cache", "all else"}, "MB")};
}

PageSection time_section(const ComparisonReport& report) {
  std::vector<PartsRow> rows;
  for (std::size_t i = 0; i < report.systems.size(); ++i) {
    PartsRow row{.row = {.name = report.systems[i].label, .color = color_of(i)},
                 .parts = report.systems[i].time_parts};
    double seconds = 0;
    for (double& part : row.parts) {
      seconds += part;
      part *= 1e3;
    }
    row.row.value = format_seconds(seconds);
    rows.push_back(std::move(row));
  }
  return {.title = "Where the time goes",
          .note =
              "A batch by what it was spent on, from a few batches profiled after the rounds; "
              "kobolt profile tells more.",
          .html = parts_chart(rows, {kTimeParts.begin(), kTimeParts.end()}, "ms")};
}

}  // namespace

std::string compare_html(const ComparisonReport& report) {
  std::vector<PageSection> sections;
  sections.push_back(overview(report));
  sections.push_back(speed_section(report));
  if (report.systems.front().quality) sections.push_back(quality_section(report));
  sections.push_back(latency_section(report));
  sections.push_back(memory_section(report));
  if (!report.systems.front().time_parts.empty()) sections.push_back(time_section(report));
  std::vector<std::string> facts{report.work, report.machine};
  facts.push_back(fmt::format("{} rounds of {} batches", report.rounds, report.batches_per_turn));
  if (!report.data.empty()) facts.push_back(fmt::format("{} documents", report.documents));
  if (!report.failure.empty()) facts.push_back("ended early: " + report.failure);
  const std::string footer = fmt::format(
      "Every round ran each system once, in an order drawn anew (seed {}), so that whatever the "
      "machine did over time met all alike. Ratios are taken within rounds; their intervals invert "
      "Wilcoxon's signed-rank test at {:g} %, which holds without assuming a normal distribution. "
      "Made by kobolt compare; docs/measuring.md explains every number.",
      report.seed, report.confidence * 100);
  return html_page("Kobolt comparison", summary_sentence(report), facts, sections, footer);
}

}  // namespace kobolt::cli
