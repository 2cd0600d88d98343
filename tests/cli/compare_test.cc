// `kobolt compare`: names, forms of the report, and the program as the shell sees it.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>

#include "base/mapped_file.h"
#include "checkpoint/temporary_folder.h"
#include "cli/compare_report.h"
#include "cli/comparison.h"
#include "cli/own_program.h"
#include "cli/shell.h"
#include "kobolt/error.h"

namespace kobolt::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
namespace fs = std::filesystem;

TEST(LabelsTest, AreShortAndTellSystemsApart) {
  EXPECT_THAT(short_labels({"a/fp32.kobolt", "b/int8.kobolt", "my-kobart/"}),
              ElementsAre("fp32", "int8", "my-kobart"));
  EXPECT_THAT(short_labels({"a/m.kobolt", "b/m.kobolt"}), ElementsAre("a/m.kobolt", "b/m.kobolt"));
  EXPECT_THAT(short_labels({"m.kobolt", "m.kobolt", "m.kobolt"}), ElementsAre("m", "m #2", "m #3"));
}

TEST(SharedArguments, AreWhatWasGivenAndTheOtherCommandTakes) {
  CLI::App one;
  CLI::App other;
  int batch = 1;
  bool pin = false;
  std::vector<std::string> layers;
  for (CLI::App* app : {&one, &other}) {
    app->add_option("--batch", batch);
    app->add_option("--layer", layers);
    app->add_flag("--pin", pin);
    app->add_option("--warmup", batch);
  }
  one.add_option("--rounds", batch);
  one.parse("--layer a=int8 --layer b=int4 --pin --rounds 9 --warmup 3");
  EXPECT_THAT(shared_arguments(one, other, {"--warmup"}),
              ElementsAre("--layer=a=int8", "--layer=b=int4", "--pin=true"));
}

ComparisonReport sample_report(bool quality) {
  ComparisonReport report{.work = "1 x 8 tokens in",
                          .machine = "a machine, 2 threads",
                          .threads = 2,
                          .confidence = 0.99,
                          .rounds = 20,
                          .batches_per_turn = 1};
  for (const double speed : {1.0, 2.0, 1.01}) {
    const bool first = report.systems.empty();
    ComparedSystem system{.path = "p", .label = first ? "fp32" : "a|b, \"c\"", .precision = "int8"};
    system.measured.latency = summarize_times({1 / speed, 1.1 / speed});
    system.measured.times = {1 / speed, 1.1 / speed};
    system.measured.throughput = speed;
    system.measured.speed = {.low = speed - 0.05, .ratio = speed, .high = speed + 0.05};
    if (first) system.measured.speed = {.low = 1, .ratio = 1, .high = 1};
    system.measured.memory = {.engine = first ? 400U : 100U, .weights = 90, .peak_resident = 1000};
    system.time_parts = {1, 0, 2, 3, 4, 5, 6};
    if (quality) system.quality = {.rouge_l = 0.4, .kept = 0.998, .kept_low = 0.99, .kept_high = 1};
    report.systems.push_back(system);
  }
  return report;
}

TEST(CompareReportTest, SaysWhatIsInsideTheNoise) {
  const std::string text = compare_text(sample_report(false));
  EXPECT_THAT(text, HasSubstr("faster"));
  EXPECT_THAT(text, HasSubstr("inside the noise"));
  EXPECT_THAT(text, HasSubstr("is 2.00 times as fast as fp32 (1.95 to 2.05), 4.0 times smaller."));
  EXPECT_THAT(text, Not(HasSubstr("ROUGE")));
  EXPECT_THAT(compare_text(sample_report(true)), HasSubstr("keeps 99.8 % of its ROUGE-L"));
  ComparisonReport alike = sample_report(false);
  alike.systems.erase(alike.systems.begin() + 1);
  EXPECT_THAT(summary_sentence(alike), HasSubstr("No system is measurably faster than fp32"));
}

TEST(CompareReportTest, SaysWhatEndedItEarly) {
  ComparisonReport report = sample_report(false);
  EXPECT_THAT(compare_text(report), Not(HasSubstr("ended early")));
  EXPECT_FALSE(compare_json(report).contains("failure"));
  report.failure = "fp16 failed after 11 rounds: the GPU is gone";
  for (const std::string& text :
       {compare_text(report), compare_markdown(report), compare_html(report)}) {
    EXPECT_THAT(text, HasSubstr("ended early: fp16 failed after 11 rounds: the GPU is gone"));
  }
  EXPECT_EQ(compare_json(report).at("failure"), report.failure);
}

TEST(CompareReportTest, CsvHasAsManyFieldsInEachLine) {
  for (const bool quality : {false, true}) {
    const std::string csv = compare_csv(sample_report(quality));
    EXPECT_THAT(csv, HasSubstr("\"a|b, \"\"c\"\"\""));
    std::size_t fields = 0;
    bool quoted = false;
    std::vector<std::size_t> counts;
    for (const char c : csv) {
      if (c == '"') quoted = !quoted;
      if (c == ',' && !quoted) ++fields;
      if (c == '\n') counts.push_back(std::exchange(fields, 0));
    }
    EXPECT_THAT(counts, ElementsAre(24, 24, 24, 24));
  }
}

TEST(CompareReportTest, PartsOfTheTimeAddUpToIt) {
  Profile profile{.seconds = 10};
  profile.phases = {{.phase = Phase::search, .seconds = 1}};
  profile.operators = {{.phase = Phase::encode, .name = "ffn in", .seconds = 2},
                       {.phase = Phase::decode, .name = "cross attention", .seconds = 3},
                       {.phase = Phase::decode, .name = "output projection", .seconds = 1.5},
                       {.phase = Phase::decode, .name = "norm", .seconds = 0.5}};
  EXPECT_THAT(time_parts(profile), ElementsAre(2, 0, 0, 3, 1.5, 1, 2.5));
}

TEST(CompareReportTest, MarkdownKeepsItsColumns) {
  const std::string text = compare_markdown(sample_report(true));
  EXPECT_THAT(text, HasSubstr("| a\\|b, \"c\" |"));
  EXPECT_THAT(text, HasSubstr("| --- | --- |"));
}

TEST(CompareReportTest, HtmlHasAChartOfEachKind) {
  const std::string page = compare_html(sample_report(true));
  EXPECT_THAT(page, HasSubstr("Speed against quality"));
  EXPECT_EQ(std::string::npos, page.find("nan"));
  std::size_t charts = 0;
  for (std::size_t at = 0; (at = page.find("<svg", at)) != std::string::npos; ++at) ++charts;
  EXPECT_EQ(charts, 5U);
  EXPECT_THAT(compare_html(sample_report(false)), Not(HasSubstr("quality")));
}

TEST(CompareProgramTest, ComparesAnEngineWithItsCheckpointInAllForms) {
  const TemporaryFolder temporary;
  const fs::path& folder = temporary.path();
  const std::string model = KOBOLT_SOURCE_DIR "/examples/deb-bart";
  const std::string data = KOBOLT_SOURCE_DIR "/examples/descriptions.jsonl";
  const std::string engine = (folder / "int8.kobolt").string();
  ASSERT_EQ(shell("compile " + model + " --quiet --precision int8 -o " + engine).status, 0);
  const std::string forms = " --csv " + (folder / "r.csv").string() + " --markdown " +
                            (folder / "r.md").string() + " --html " + (folder / "r.html").string();
  const Result result = shell("compare " + model + " " + engine + " --data " + data +
                              " --limit 2 --new-tokens 6 --beams 1 --rounds 8 --warmup 1 --json " +
                              "--quiet" + forms);
  ASSERT_EQ(result.status, 0) << result.text;
  const auto json = nlohmann::json::parse(result.text);
  ASSERT_EQ(json.at("systems").size(), 2U);
  const auto& int8 = json.at("systems")[1];
  EXPECT_EQ(int8.at("precision"), "int8");
  EXPECT_EQ(int8.at("rounds").size(), 8U);
  EXPECT_LE(int8.at("speed").at("low"), int8.at("speed").at("ratio"));
  EXPECT_GT(int8.at("quality").at("kept").get<double>(), 0);
  // Of processes of their own: the folder was compiled in memory there.
  EXPECT_GT(json.at("systems")[0].at("memory").at("peak_resident"),
            int8.at("memory").at("peak_resident"));
  for (const char* name : {"r.csv", "r.md", "r.html"}) {
    EXPECT_THAT(read_text_file(folder / name), HasSubstr("deb-bart")) << name;
  }
}

TEST(CompareProgramTest, SaysWhichKindsThereAre) {
  const Result result = complain("compare " KOBOLT_SOURCE_DIR "/README.md");
  EXPECT_EQ(result.status, 1);
  EXPECT_THAT(result.text, HasSubstr("an engine file (kobolt compile), a Hugging Face folder"));
  EXPECT_EQ(complain("compare").status, 2);
  EXPECT_EQ(complain("compare a --rounds 9 --seconds 3").status, 2);
  EXPECT_THAT(complain("compare " KOBOLT_TEST_DATA
                       "/checkpoints/bart --sequence 32 --new-tokens 8 --rounds 3")
                  .text,
              HasSubstr("rounds: out of range (found 3, expected 8"));
}

TEST(CompareProgramTest, AnEngineThatIsBrokenIsNamedOnce) {
  const TemporaryFolder folder;
  const fs::path file = folder.write("broken.kobolt", "KOBOLT" + std::string(200, 'x'));
  const Result result = complain("compare " + file.string());
  EXPECT_EQ(result.status, 1);
  EXPECT_TRUE(result.text.starts_with("kobolt: error: " + file.string())) << result.text;
  EXPECT_EQ(std::ranges::count(result.text, '\n'), 1) << result.text;
}

}  // namespace
}  // namespace kobolt::cli
