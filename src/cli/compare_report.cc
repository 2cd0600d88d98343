#include "cli/compare_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "cli/bench_report.h"
#include "cli/table.h"

namespace kobolt::cli {
namespace {

using Cells = std::vector<std::string>;

bool has_quality(const ComparisonReport& report) {
  return report.systems.front().quality.has_value();
}

Cells titles(const ComparisonReport& report) {
  Cells cells{"system",
              "precision",
              "p50",
              "p95",
              "documents/s",
              "speed",
              fmt::format("{:g} % interval", report.confidence * 100),
              "verdict"};
  if (has_quality(report)) {
    cells.emplace_back("ROUGE-L");
    cells.emplace_back("kept");
  }
  for (const char* title : {"file", "peak memory", "first token, cold"}) cells.emplace_back(title);
  return cells;
}

Cells figures(const ComparisonReport& report, std::size_t index) {
  const ComparedSystem& system = report.systems[index];
  const ComparedEngine& measured = system.measured;
  Cells cells{system.label,
              system.precision,
              format_seconds(measured.latency.p50),
              format_seconds(measured.latency.p95),
              fmt::format("{:.2f}", measured.throughput),
              index == 0 ? "1" : speed_text(measured.speed.ratio),
              index == 0 ? "" : interval_text(measured.speed),
              verdict_text(report, index)};
  if (system.quality) {
    cells.push_back(fmt::format("{:.4f}", system.quality->rouge_l));
    cells.push_back(fmt::format("{:.1f} %", system.quality->kept * 100));
  }
  cells.push_back(format_bytes(static_cast<double>(measured.memory.engine)));
  cells.push_back(format_bytes(static_cast<double>(measured.memory.peak_resident)));
  cells.push_back(system.cold_first_token > 0 ? format_seconds(system.cold_first_token) : "");
  return cells;
}

std::string how_measured(const ComparisonReport& report) {
  std::string text =
      fmt::format("{}; {}; {} rounds of {} batches a system, in an order drawn anew each round",
                  report.work, report.machine, report.rounds, report.batches_per_turn);
  if (!report.failure.empty()) text += "; ended early: " + report.failure;
  return text;
}

Json speed_json(const RatioInterval& speed) {
  return {{"ratio", speed.ratio},
          {"low", speed.low},
          {"high", speed.high},
          {"confidence", speed.confidence}};
}

Json system_json(const ComparisonReport& report, std::size_t index) {
  const ComparedSystem& system = report.systems[index];
  const ComparedEngine& measured = system.measured;
  Json json{{"path", system.path},         {"label", system.label},
            {"kind", system.kind},         {"precision", system.precision},
            {"kv_cache", system.kv_cache}, {"latency", times_json(measured.latency)}};
  if (measured.first_token) json["first_token"] = times_json(*measured.first_token);
  if (measured.per_token) json["per_token"] = times_json(*measured.per_token);
  json["throughput"] = measured.throughput;
  json["tokens_per_second"] = measured.tokens_per_second;
  json["speed"] = speed_json(measured.speed);
  json["verdict"] = verdict_text(report, index);
  if (system.quality) {
    json["quality"] = {{"rougeL", system.quality->rouge_l},
                       {"kept", system.quality->kept},
                       {"kept_low", system.quality->kept_low},
                       {"kept_high", system.quality->kept_high},
                       {"length", system.quality->length}};
  }
  json["memory"] = {{"engine", measured.memory.engine},
                    {"weights", measured.memory.weights},
                    {"kv_cache", measured.memory.kv_cache},
                    {"peak_resident", measured.memory.peak_resident}};
  json["cold_start"] = {{"load", system.load_seconds}};
  if (system.cold_first_token > 0) json["cold_start"]["first_token"] = system.cold_first_token;
  for (std::size_t part = 0; part < system.time_parts.size(); ++part) {
    json["time_parts"][kTimeParts[part]] = system.time_parts[part];
  }
  json["times"] = measured.times;
  json["rounds"] = measured.rounds;
  return json;
}

// RFC 4180.
std::string csv_field(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"') quoted += '"';
    quoted += c;
  }
  return quoted + '"';
}

std::string csv_line(const Cells& cells) {
  std::string line;
  for (const std::string& cell : cells) {
    if (!line.empty()) line += ',';
    line += csv_field(cell);
  }
  return line + "\r\n";
}

std::string markdown_line(const Cells& cells) {
  std::string line = "|";
  for (const std::string& cell : cells) {
    line += ' ';
    for (const char c : cell) {
      if (c == '|') line += '\\';
      line += c;
    }
    line += " |";
  }
  return line + "\n";
}

}  // namespace

std::string compare_text(const ComparisonReport& report) {
  std::vector<Column> columns;
  for (std::string& title : titles(report)) {
    // Words to the left, figures to the right.
    const bool word = title == "system" || title == "precision" || title == "verdict";
    columns.push_back({.title = std::move(title), .align = word ? Align::left : Align::right});
  }
  Table table(std::move(columns));
  for (std::size_t i = 0; i < report.systems.size(); ++i) table.add_row(figures(report, i));
  return table.text() + "\n" + summary_sentence(report) + "\n" + how_measured(report) + "\n";
}

Json compare_json(const ComparisonReport& report) {
  Json json{{"work", report.work_json},  {"machine", report.machine},
            {"threads", report.threads}, {"instruction_set", report.instruction_set},
            {"rounds", report.rounds},   {"batches_per_turn", report.batches_per_turn},
            {"seed", report.seed},       {"confidence", report.confidence}};
  if (!report.data.empty()) {
    json["data"] = report.data;
    json["documents"] = report.documents;
  }
  json["summary"] = summary_sentence(report);
  if (!report.failure.empty()) json["failure"] = report.failure;
  json["systems"] = Json::array();
  for (std::size_t i = 0; i < report.systems.size(); ++i) {
    json["systems"].push_back(system_json(report, i));
  }
  return json;
}

std::string compare_csv(const ComparisonReport& report) {
  std::string text = csv_line(
      {"system",       "path",           "precision",  "average_s",  "deviation_s",
       "p50_s",        "p90_s",          "p95_s",      "p99_s",      "documents_per_s",
       "tokens_per_s", "speed",          "speed_low",  "speed_high", "verdict",
       "rougeL",       "kept",           "kept_low",   "kept_high",  "file_bytes",
       "weight_bytes", "kv_cache_bytes", "peak_bytes", "load_s",     "cold_first_token_s"});
  const auto number = [](double value) { return fmt::format("{:.9g}", value); };
  for (std::size_t i = 0; i < report.systems.size(); ++i) {
    const ComparedSystem& system = report.systems[i];
    const ComparedEngine& m = system.measured;
    Cells cells{system.label, system.path, system.precision};
    for (const double value : {m.latency.average, m.latency.deviation, m.latency.p50, m.latency.p90,
                               m.latency.p95, m.latency.p99, m.throughput, m.tokens_per_second,
                               m.speed.ratio, m.speed.low, m.speed.high}) {
      cells.push_back(number(value));
    }
    cells.push_back(verdict_text(report, i));
    if (const auto& quality = system.quality) {
      for (const double value :
           {quality->rouge_l, quality->kept, quality->kept_low, quality->kept_high}) {
        cells.push_back(number(value));
      }
    } else {
      cells.resize(cells.size() + 4);
    }
    for (const std::uint64_t bytes :
         {m.memory.engine, m.memory.weights, m.memory.kv_cache, m.memory.peak_resident}) {
      cells.push_back(std::to_string(bytes));
    }
    cells.push_back(number(system.load_seconds));
    cells.push_back(system.cold_first_token > 0 ? number(system.cold_first_token) : "");
    text += csv_line(cells);
  }
  return text;
}

std::string compare_markdown(const ComparisonReport& report) {
  const Cells head = titles(report);
  std::string text = markdown_line(head) + markdown_line(Cells(head.size(), "---"));
  for (std::size_t i = 0; i < report.systems.size(); ++i) {
    text += markdown_line(figures(report, i));
  }
  return text + "\n" + summary_sentence(report) + " Measured: " + how_measured(report) + ".\n";
}

}  // namespace kobolt::cli
