#include "cli/sweep_point.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <vector>

#include "cli/table.h"
#include "kobolt/error.h"
#include "report/line_chart.h"

namespace kobolt::cli {
namespace {

const std::vector<std::string> kTitles = {"method", "amount",   "sparsity", "ROUGE-L", "loss",
                                          "time",   "speed-up", "file",     "memory"};

std::vector<std::string> cells(const SweepPoint& dense, const SweepPoint& point) {
  return {point.method,
          fmt::format("{}", point.amount),
          fmt::format("{:.1f} %", point.sparsity * 100),
          fmt::format("{:.4f}", point.rouge_l),
          fmt::format("{:.1f} %", loss_percent(dense, point)),
          fmt::format("{:.1f} ms", point.seconds * 1e3),
          fmt::format("{:.2f}x", point.speedup),
          format_bytes(static_cast<double>(point.file_bytes)),
          format_bytes(static_cast<double>(point.peak_memory))};
}

/// One line a method, each beginning at the dense model.
template <typename X>
std::vector<LineSeries> curves(std::span<const SweepPoint> points, const X& x) {
  std::vector<LineSeries> series;
  for (const SweepPoint& point : points.subspan(1)) {
    auto found = std::ranges::find(series, point.method, &LineSeries::name);
    if (found == series.end()) {
      series.push_back({point.method, {{x(points[0]), points[0].rouge_l}}});
      found = series.end() - 1;
    }
    found->points.push_back({x(point), point.rouge_l});
  }
  return series;
}

}  // namespace

Json to_json(const SweepPoint& point) {
  return {{"method", point.method},         {"amount", point.amount},
          {"sparsity", point.sparsity},     {"rouge_l", point.rouge_l},
          {"seconds", point.seconds},       {"speedup", point.speedup},
          {"file_bytes", point.file_bytes}, {"peak_memory", point.peak_memory}};
}

SweepPoint sweep_point_from_json(const Json& json, const std::string& file) {
  try {
    return {.method = json.at("method"),
            .amount = json.at("amount"),
            .sparsity = json.at("sparsity"),
            .rouge_l = json.at("rouge_l"),
            .seconds = json.at("seconds"),
            .speedup = json.at("speedup"),
            .file_bytes = json.at("file_bytes"),
            .peak_memory = json.at("peak_memory")};
  } catch (const Json::exception& error) {
    throw Error(ErrorKind::corrupt, "not a point of a sweep",
                {.file = file, .found = error.what(), .hint = "remove it: it is measured again"});
  }
}

double loss_percent(const SweepPoint& dense, const SweepPoint& point) {
  return dense.rouge_l > 0 ? 100 * (dense.rouge_l - point.rouge_l) / dense.rouge_l : 0;
}

std::string sweep_text(std::span<const SweepPoint> points) {
  std::vector<Column> columns = {{kTitles[0]}};
  for (std::size_t i = 1; i < kTitles.size(); ++i) columns.push_back({kTitles[i], Align::right});
  Table table(std::move(columns));
  for (const SweepPoint& point : points) table.add_row(cells(points[0], point));
  return table.text();
}

std::string sweep_markdown(std::span<const SweepPoint> points) {
  std::string text = fmt::format("| {} |\n|---", fmt::join(kTitles, " | "));
  for (std::size_t i = 1; i < kTitles.size(); ++i) text += "|---:";
  text += "|\n";
  for (const SweepPoint& point : points) {
    text += fmt::format("| {} |\n", fmt::join(cells(points[0], point), " | "));
  }
  return text;
}

std::string sweep_csv(std::span<const SweepPoint> points) {
  std::string text =
      "method,amount,sparsity,rouge_l,loss_percent,seconds,speedup,file_bytes,peak_memory\n";
  for (const SweepPoint& p : points) {
    text +=
        fmt::format("{},{},{},{},{},{},{},{},{}\n", p.method, p.amount, p.sparsity, p.rouge_l,
                    loss_percent(points[0], p), p.seconds, p.speedup, p.file_bytes, p.peak_memory);
  }
  return text;
}

std::string sweep_svg(std::span<const SweepPoint> points) {
  const std::vector<LineChart> charts = {
      {.title = "What pruning costs",
       .x_label = "amount",
       .y_label = "ROUGE-L",
       .series = curves(points, [](const SweepPoint& point) { return point.amount; })},
      {.title = "What it buys in time",
       .x_label = "speed-up",
       .y_label = "ROUGE-L",
       .series = curves(points, [](const SweepPoint& point) { return point.speedup; })},
      {.title = "What it buys in size",
       .x_label = "engine file, MB",
       .y_label = "ROUGE-L",
       .series = curves(points, [](const SweepPoint& point) {
         return static_cast<double>(point.file_bytes) / 1e6;
       })}};
  return line_charts(charts);
}

}  // namespace kobolt::cli
