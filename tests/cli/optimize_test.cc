// `kobolt optimize` as the shell sees it, on the bundled model and a few descriptions.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/mapped_file.h"
#include "checkpoint/temporary_folder.h"
#include "cli/shell.h"

namespace kobolt::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
namespace fs = std::filesystem;
using nlohmann::json;

class OptimizeProgramTest : public ::testing::Test {
 protected:
  [[nodiscard]] std::string path(const std::string& name) const {
    return (folder_.path() / name).string();
  }
  std::string file(const std::string& name, const std::string& text) {
    std::ofstream(path(name)) << text;
    return path(name);
  }
  // A search that takes a few seconds.
  [[nodiscard]] std::string call(const std::string& more = "") const {
    return "optimize " + model_ + " --data " + data_ +
           " --limit 12 --minutes 0.01 --try-precision fp32,int8 --no-mixed --try-pruning none "
           "--try-kv-cache auto -o " +
           path("out") + " " + more;
  }

  const TemporaryFolder folder_;
  const std::string model_ = std::string(KOBOLT_SOURCE_DIR) + "/examples/deb-bart";
  const std::string data_ = std::string(KOBOLT_SOURCE_DIR) + "/examples/descriptions.jsonl";
};

/// Under sanitizers, whose engine takes a hundred times as long, these searches would take minutes;
/// the library's search is tested there (optimize_test).
class OptimizeSearchTest : public OptimizeProgramTest {
 protected:
  void SetUp() override {
#ifdef __SANITIZE_ADDRESS__
    GTEST_SKIP() << "takes minutes under sanitizers";
#endif
  }
};

TEST_F(OptimizeSearchTest, LeavesAnEngineAndTheSettingsThatMakeIt) {
  const Result result = shell(call("--json --keep 50% --size 50%"));
  ASSERT_EQ(result.status, 0) << result.text;
  const json report = json::parse(result.text);
  EXPECT_EQ(report.at("chosen"), "int8");
  EXPECT_EQ(report.at("searched_documents"), 6);
  EXPECT_EQ(report.at("held_back_documents"), 6);
  EXPECT_EQ(report.at("trials").at(0).at("setting"), "fp32");
  EXPECT_GT(report.at("trials").at(1).at("peak_memory").get<double>(), 1e6);
  EXPECT_TRUE(report.at("trials").at(1).at("held_back").at("passed").get<bool>());

  ASSERT_EQ(shell("compile " + model_ + " --quiet -o " + path("again.kobolt") + " --config " +
                  path("out/settings.yaml"))
                .status,
            0);
  EXPECT_EQ(read_text_file(path("again.kobolt")), read_text_file(path("out/model.kobolt")));
  EXPECT_THAT(read_text_file(path("out/report.html")), HasSubstr("int8"));

  // Everything is known already: the same call measures nothing.
  const json again = json::parse(shell(call("--json --keep 50% --size 50%")).text);
  EXPECT_EQ(again.at("seconds"), report.at("seconds"));
  EXPECT_EQ(again.at("chosen"), "int8");
  // Another target is a question to the same trials.
  EXPECT_EQ(json::parse(shell(call("--json --size 32MB --prefer quality")).text).at("seconds"),
            report.at("seconds"));
  const Result other = complain(call("--seed 7"));
  EXPECT_EQ(other.status, 1);
  EXPECT_THAT(other.text, HasSubstr("another search"));
}

TEST_F(OptimizeSearchTest, ChoosesBeamsAndBatchesWithinALatency) {
  const auto search = [&](const std::string& latency) {
    const Result result = shell("optimize " + model_ + " --data " + data_ +
                                " --limit 8 --minutes 1 --try-precision int8 --no-mixed "
                                "--try-pruning none --try-kv-cache auto,int8 --try-beams 0,1 "
                                "--try-batch 0,2 --json -o " +
                                path("out") + " --latency " + latency);
    EXPECT_EQ(result.status, 0) << result.text;
    return json::parse(result.text);
  };
  const json found = search("60s");
  std::map<std::string, double> p95;
  for (const json& trial : found.at("trials")) p95[trial.at("setting")] = trial.at("p95");
  std::vector<std::string> names;
  for (const auto& [name, ignored] : p95) names.push_back(name);
  EXPECT_THAT(
      names, ElementsAre("fp32", "int8", "int8, batch 2", "int8, greedy", "int8, greedy, batch 2"));
  // The checkpoint has four beams; one writes twice as fast.
  const std::string chosen = found.at("chosen");
  EXPECT_THAT(chosen, HasSubstr("greedy"));
  const std::string settings = read_text_file(path("out/settings.yaml"));
  EXPECT_THAT(settings, HasSubstr("num-beams: 1"));
  EXPECT_EQ(settings.find("batch: 2") != std::string::npos, chosen.ends_with("batch 2"));

  // Another limit asks what is known, so the answer is sure: two documents take longer than one.
  const double one = p95.at("int8, greedy");
  const double two = p95.at("int8, greedy, batch 2");
  ASSERT_LT(one, two);
  const json quick = search(std::to_string(std::sqrt(one * two)) + "s");
  EXPECT_EQ(quick.at("seconds"), found.at("seconds"));
  EXPECT_EQ(quick.at("chosen"), "int8, greedy");
}

// Scores look at the half that is searched on, and the engine can be made again.
TEST_F(OptimizeSearchTest, PrunesByWhatDocumentsSay) {
  const std::string recipe = "structured+whole+taylor@0.1";
  const Result result = shell("optimize " + model_ + " --data " + data_ +
                              " --limit 8 --minutes 1 --try-precision int8 --no-mixed --size 25% "
                              "--try-pruning " +
                              recipe + " --try-kv-cache auto --json -o " + path("out"));
  ASSERT_EQ(result.status, 0) << result.text;
  EXPECT_EQ(json::parse(result.text).at("chosen"), "int8, " + recipe);
  const std::string lines = read_text_file(path("out/pruning.jsonl"));
  EXPECT_EQ(std::ranges::count(lines, '\n'), 4);
  ASSERT_EQ(shell("compile " + model_ + " --quiet -o " + path("again.kobolt") + " --config " +
                  path("out/settings.yaml"))
                .status,
            0);
  EXPECT_EQ(read_text_file(path("again.kobolt")), read_text_file(path("out/model.kobolt")));
}

TEST_F(OptimizeProgramTest, ScoresWithoutDocumentsAreRefused) {
  for (const std::string score : {"wanda", "taylor"}) {
    const Result result = complain("compile " + model_ + " -o " + path("x.kobolt") +
                                   " --prune global+" + score + "@0.1");
    EXPECT_EQ(result.status, 1);
    EXPECT_THAT(result.text, HasSubstr("needs documents to look at"));
    EXPECT_THAT(result.text, HasSubstr("--prune-data"));
  }
}

TEST_F(OptimizeSearchTest, SaysWhatComesClosest) {
  const Result result = shell(call("--size 1MB 2>&1"));
  EXPECT_EQ(result.status, 3);
  EXPECT_THAT(result.text, HasSubstr("Nothing that was tried meets a file of 1.0 MB. The closest "
                                     "is int8: it has 8.3 MB (26.2 % of fp32)"));
  EXPECT_FALSE(fs::exists(path("out/model.kobolt")));
  EXPECT_TRUE(fs::exists(path("out/report.html")));
}

TEST_F(OptimizeSearchTest, AFullDiskLosesNothing) {
  // Files end at 4 MB: trials fit, engine files do not.
  const Result full = run_line("(trap '' XFSZ; ulimit -f 4096; '" + std::string(KOBOLT_PROGRAM) +
                               "' " + call("--keep 50%") + " 2>&1 >/dev/null)");
  EXPECT_EQ(full.status, 1);
  EXPECT_THAT(full.text, HasSubstr("File too large"));
  EXPECT_FALSE(fs::exists(path("out/model.kobolt")));
  const Result rest = shell(call("--json --keep 50% --size 50%"));
  ASSERT_EQ(rest.status, 0) << rest.text;
  EXPECT_EQ(json::parse(rest.text).at("resumed_trials"), 2);
}

TEST_F(OptimizeProgramTest, RefusesDataThatCannotTell) {
  const auto refusal = [&](const std::string& data) {
    return complain("optimize " + model_ + " --data " + data + " --keep 99% -o " + path("out"));
  };
  const Result empty = refusal(file("empty.jsonl", ""));
  EXPECT_EQ(empty.status, 1);
  EXPECT_THAT(empty.text, HasSubstr("empty.jsonl"));
  const std::string line = R"({"document": "A tool.", "summary": "a tool"})";
  EXPECT_THAT(refusal(file("one.jsonl", line)).text, HasSubstr("too few documents"));
  EXPECT_THAT(refusal(file("none.jsonl", R"({"document": "A tool."})")).text, HasSubstr("summary"));
  std::string blank;
  for (int i = 0; i < 9; ++i) {
    blank += R"({"document": "A tool.", "summary": " "})"
             "\n";
  }
  EXPECT_THAT(refusal(file("blank.jsonl", blank)).text, HasSubstr("all references are empty"));
  EXPECT_FALSE(fs::exists(path("out/model.kobolt")));
}

TEST_F(OptimizeProgramTest, WrongUseIsToldFromFailure) {
  for (const char* wrong :
       {"--keep 99", "--latency 50", "--size 60", "--size 0.5x", "--size x", "--memory lots",
        "--prefer cheap", "--minutes 0", "--try-precision int3", "--try-pruning global",
        "--try-pruning structured+whole@2"}) {
    EXPECT_EQ(complain(call(wrong)).status, 2) << wrong;
  }
  EXPECT_EQ(complain("optimize nowhere --data " + data_ + " -o " + path("out")).status, 1);
}

}  // namespace
}  // namespace kobolt::cli
