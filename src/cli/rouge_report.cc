#include "cli/rouge_report.h"

#include <fmt/format.h>

#include <array>

#include "cli/table.h"

namespace kobolt::cli {
namespace {

struct Measure {
  const char* title;
  const char* key;
  Interval RougeReport::*interval;
};

constexpr std::array kMeasures{Measure{"ROUGE-1", "rouge1", &RougeReport::rouge1},
                               Measure{"ROUGE-2", "rouge2", &RougeReport::rouge2},
                               Measure{"ROUGE-L", "rougeL", &RougeReport::rougeL},
                               Measure{"ROUGE-Lsum", "rougeLsum", &RougeReport::rougeLsum}};

Json part_json(const Interval& interval, double Score::*part, bool bounds) {
  Json json{{"mean", interval.mid.*part}};
  if (bounds) {
    json["low"] = interval.low.*part;
    json["high"] = interval.high.*part;
  }
  return json;
}

const char* name_of(RougeTokens tokens) {
  switch (tokens) {
    case RougeTokens::unicode:
      return "unicode";
    case RougeTokens::ascii:
      return "ascii";
    case RougeTokens::character:
      return "char";
  }
  return "";
}

}  // namespace

std::string rouge_table(const RougeReport& report, const RougeOptions& options) {
  const bool bounds = options.bootstrap_samples > 0;
  std::vector<Column> columns{{.title = "measure"},
                              {.title = "precision", .align = Align::right},
                              {.title = "recall", .align = Align::right},
                              {.title = "F", .align = Align::right}};
  if (bounds)
    columns.push_back({.title = fmt::format("{:g} % interval of F", options.confidence * 100)});
  Table table(std::move(columns));
  for (const Measure& measure : kMeasures) {
    const Interval& interval = report.*measure.interval;
    std::vector<std::string> row{measure.title, fmt::format("{:.4f}", interval.mid.precision),
                                 fmt::format("{:.4f}", interval.mid.recall),
                                 fmt::format("{:.4f}", interval.mid.f)};
    if (bounds) row.push_back(fmt::format("{:.4f} to {:.4f}", interval.low.f, interval.high.f));
    table.add_row(std::move(row));
  }
  return table.text();
}

Json rouge_json(const RougeReport& report, const RougeOptions& options) {
  const bool bounds = options.bootstrap_samples > 0;
  Json json = Json::object();
  for (const Measure& measure : kMeasures) {
    const Interval& interval = report.*measure.interval;
    json[measure.key] = {{"precision", part_json(interval, &Score::precision, bounds)},
                         {"recall", part_json(interval, &Score::recall, bounds)},
                         {"f", part_json(interval, &Score::f, bounds)}};
  }
  return json;
}

Json rouge_settings(const RougeOptions& options) {
  return {{"rouge_tokens", name_of(options.tokens)},
          {"stemmer", options.stemmer},
          {"bootstrap", options.bootstrap_samples},
          {"confidence", options.confidence},
          {"seed", options.seed}};
}

}  // namespace kobolt::cli
