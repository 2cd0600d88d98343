#include "cli/profile_report.h"

#include <fmt/format.h>

#include <utility>
#include <vector>

#include "cli/bench_report.h"
#include "cli/table.h"

namespace kobolt::cli {
namespace {

constexpr double kGiga = 1e9;

std::string layer_text(const ProfileEntry& entry) {
  return entry.layer < 0 ? "" : std::to_string(entry.layer);
}

// One line an entry; `named` has a column for operators, `layered` one for layers.
std::string entries_table(const std::vector<ProfileEntry>& entries, const ProfileReport& report,
                          bool named, bool layered) {
  std::vector<Column> columns{{.title = "phase"}};
  if (named) columns.push_back({.title = "operator"});
  if (layered) columns.push_back({.title = "layer", .align = Align::right});
  for (const char* title : {"time", "share", "calls", "GOP/s", "GB/s"}) {
    columns.push_back({.title = title, .align = Align::right});
  }
  if (report.ceilings) columns.push_back({.title = "of the limit", .align = Align::right});
  Table table(std::move(columns));
  for (const ProfileEntry& entry : entries) {
    std::vector<std::string> row{std::string(name_of(entry.phase))};
    if (named) row.push_back(entry.name);
    if (layered) row.push_back(layer_text(entry));
    row.push_back(format_seconds(entry.seconds));
    row.push_back(fmt::format("{:.1f} %", 100 * entry.seconds / report.profile.seconds));
    row.push_back(fmt::format("{:.0f}", entry.calls));
    const bool counted = entry.operations > 0 && entry.seconds > 0;
    row.push_back(counted ? fmt::format("{:.1f}", entry.operations / entry.seconds / kGiga) : "");
    row.push_back(counted ? fmt::format("{:.1f}", entry.bytes / entry.seconds / kGiga) : "");
    if (report.ceilings && counted) {
      row.push_back(fmt::format("{:.0f} %", 100 * entry.share_of_ceiling()));
    }
    table.add_row(std::move(row));
  }
  return table.text();
}

Json entry_json(const ProfileEntry& entry, bool limits) {
  Json json{{"phase", name_of(entry.phase)}};
  if (!entry.name.empty()) json["operator"] = entry.name;
  if (entry.layer >= 0) json["layer"] = entry.layer;
  json.update({{"seconds", entry.seconds},
               {"calls", entry.calls},
               {"operations", entry.operations},
               {"bytes", entry.bytes}});
  if (limits) {
    json["least_arithmetic"] = entry.least_arithmetic;
    json["least_reading"] = entry.least_reading;
    json["share_of_ceiling"] = entry.share_of_ceiling();
  }
  return json;
}

Json entries_json(const std::vector<ProfileEntry>& entries, bool limits) {
  Json json = Json::array();
  for (const ProfileEntry& entry : entries) json.push_back(entry_json(entry, limits));
  return json;
}

// Of a batch: what the counted work of its phases takes at least.
double least_seconds(const Profile& profile) {
  double least = 0;
  for (const ProfileEntry& phase : profile.phases) least += phase.least;
  return least;
}

std::string percent_more(double ratio) { return fmt::format("{:+.1f} %", 100 * (ratio - 1)); }

}  // namespace

std::string profile_text(const ProfileReport& report, const Summarizer& summarizer) {
  const Profile& profile = report.profile;
  std::vector<std::pair<std::string, std::string>> lines{
      {"engine", fmt::format("{} ({}, KV cache {})", report.model, name_of(summarizer.precision()),
                             name_of(summarizer.kv_cache()))},
      {"work", report.work},
      {"machine",
       fmt::format("{} threads, {}", summarizer.threads(), summarizer.instruction_set())}};
  if (report.ceilings) {
    const MachineCeilings& most = *report.ceilings;
    const std::string bf16 =
        most.bf16 > 0 ? fmt::format(", {:.1f} in bf16", most.bf16 / kGiga) : "";
    const std::string bytes =
        most.bytes > 0 ? fmt::format(", {:.1f} of bytes", most.bytes / kGiga) : "";
    lines.emplace_back(
        "limit",
        fmt::format("{:.1f} GOP/s in fp32{}, {:.1f} of int16 pairs{}; {:.1f} "
                    "GB/s from memory",
                    most.fp32 / kGiga, bf16, most.pairs / kGiga, bytes, most.read / kGiga));
  }
  lines.emplace_back("a batch", fmt::format("{}, the mean of {}", format_seconds(profile.seconds),
                                            profile.batches));
  if (report.ceilings) {
    const double least = least_seconds(profile);
    lines.emplace_back("at the limit", fmt::format("{}, {:.0f} % of that", format_seconds(least),
                                                   100 * least / profile.seconds));
  }
  lines.emplace_back("recording", fmt::format("{} ({} to {}) against as many batches without",
                                              percent_more(profile.overhead.ratio),
                                              percent_more(profile.overhead.low),
                                              percent_more(profile.overhead.high)));
  std::string text = key_values(lines);
  text += "\n" + entries_table(profile.phases, report, false, false);
  text += "\n" + entries_table(profile.operators, report, true, false);
  text += "\n" + entries_table(profile.layers, report, false, true);
  text += "\n" + profile.bottleneck + ".\n";
  if (!profile.advice.empty()) text += "What would help:\n";
  for (const std::string& advice : profile.advice) text += "- " + advice + "\n";
  return text;
}

Json profile_json(const ProfileReport& report, const Summarizer& summarizer) {
  const Profile& profile = report.profile;
  const bool limits = report.ceilings.has_value();
  Json json{{"model", report.model},
            {"precision", name_of(summarizer.precision())},
            {"kv_cache", name_of(summarizer.kv_cache())},
            {"threads", summarizer.threads()},
            {"instruction_set", summarizer.instruction_set()},
            {"batches", profile.batches},
            {"seconds", profile.seconds},
            {"overhead",
             {{"ratio", profile.overhead.ratio},
              {"low", profile.overhead.low},
              {"high", profile.overhead.high},
              {"confidence", profile.overhead.confidence}}}};
  if (limits) {
    json["ceilings"] = {{"fp32", report.ceilings->fp32},
                        {"bf16", report.ceilings->bf16},
                        {"pairs", report.ceilings->pairs},
                        {"bytes", report.ceilings->bytes},
                        {"read", report.ceilings->read}};
    json["least_seconds"] = least_seconds(profile);
  }
  json["phases"] = entries_json(profile.phases, limits);
  json["operators"] = entries_json(profile.operators, limits);
  json["layers"] = entries_json(profile.layers, limits);
  json["details"] = entries_json(profile.details, limits);
  json["bottleneck"] = profile.bottleneck;
  json["advice"] = profile.advice;
  return json;
}

}  // namespace kobolt::cli
