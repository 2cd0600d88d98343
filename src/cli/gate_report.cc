#include "cli/gate_report.h"

#include <fmt/format.h>

#include <array>

#include "cli/share.h"
#include "cli/table.h"

namespace kobolt::cli {
namespace {

constexpr std::array kGateKeys{"rouge1", "rouge2", "rougeL", "length"};

// ROUGE is read to four decimals, lengths to a tenth of a character.
std::string figure(const GateMeasure& measure, double value) {
  return measure.name == "length" ? fmt::format("{:.1f}", value) : fmt::format("{:.4f}", value);
}

std::string signed_figure(const GateMeasure& measure, double value) {
  return measure.name == "length" ? fmt::format("{:+.1f}", value) : fmt::format("{:+.4f}", value);
}

}  // namespace

std::string gate_table(const GateReport& report, const GateOptions& options) {
  const bool bounds = options.bootstrap_samples > 0;
  std::vector<Column> columns{{.title = "measure"},
                              {.title = "baseline", .align = Align::right},
                              {.title = "this", .align = Align::right},
                              {.title = "kept", .align = Align::right},
                              {.title = "needed", .align = Align::right},
                              {.title = "difference", .align = Align::right}};
  if (bounds) {
    columns.push_back({.title = fmt::format("{:g} % interval", options.confidence * 100)});
  }
  columns.push_back({.title = "gate"});
  Table table(std::move(columns));
  for (const GateMeasure& measure : report.measures) {
    std::vector<std::string> row{std::string(measure.name),
                                 figure(measure, measure.baseline),
                                 figure(measure, measure.candidate),
                                 share_text(measure.kept, measure.needed),
                                 fmt::format("{:g} %", measure.needed * 100),
                                 signed_figure(measure, measure.difference)};
    if (bounds) {
      row.push_back(fmt::format("{} to {}", signed_figure(measure, measure.difference_low),
                                signed_figure(measure, measure.difference_high)));
    }
    row.emplace_back(measure.passed ? "passed" : "FAILED");
    table.add_row(std::move(row));
  }
  return table.text();
}

Json gate_json(const GateReport& report, const GateOptions& options) {
  Json json{{"passed", report.passed},
            {"keep", options.keep},
            {"keep_length", options.keep_length},
            {"measures", Json::object()}};
  for (std::size_t i = 0; i < report.measures.size(); ++i) {
    const GateMeasure& measure = report.measures[i];
    Json difference{{"mean", measure.difference}};
    if (options.bootstrap_samples > 0) {
      difference["low"] = measure.difference_low;
      difference["high"] = measure.difference_high;
    }
    json["measures"][kGateKeys[i]] = {
        {"baseline", measure.baseline}, {"candidate", measure.candidate},
        {"kept", measure.kept},         {"needed", measure.needed},
        {"passed", measure.passed},     {"difference", difference}};
  }
  return json;
}

std::string gate_failure(const GateReport& report) {
  std::string text;
  for (const GateMeasure& measure : report.measures) {
    if (measure.passed) continue;
    if (!text.empty()) text += ", ";
    text += fmt::format("{} keeps {} of the baseline, {:g} % is needed", measure.name,
                        share_text(measure.kept, measure.needed), measure.needed * 100);
  }
  return text;
}

}  // namespace kobolt::cli
