// The program as a shell sees it: exit status, standard output, standard error.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "checkpoint/temporary_folder.h"
#include "cli/shell.h"

namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;
namespace fs = std::filesystem;
using kobolt::TemporaryFolder;
using kobolt::cli::complain;
using kobolt::cli::Result;
using kobolt::cli::run_line;
using kobolt::cli::shell;

void expect_one_line(const std::string& text) {
  EXPECT_THAT(text, StartsWith("kobolt: error: "));
  EXPECT_EQ(text.find('\n'), text.size() - 1) << text;
}

TEST(Program, PrintsVersionAndHelp) {
  const Result version = shell("--version");
  EXPECT_EQ(version.status, 0);
  EXPECT_THAT(version.text, StartsWith("kobolt 0."));
  const Result help = shell("--help");
  EXPECT_EQ(help.status, 0);
  EXPECT_THAT(help.text, HasSubstr("doctor"));
}

TEST(Program, EveryCommandHasHelpWithExamples) {
  const Result help = shell("--help");
  std::size_t at = help.text.find("Commands:\n");
  ASSERT_NE(at, std::string::npos);
  int commands = 0;
  for (at = help.text.find("\n  ", at); at != std::string::npos; at = help.text.find("\n  ", at)) {
    at += 3;
    if (help.text[at] == ' ') continue;  // a description that goes on
    const std::string name = help.text.substr(at, help.text.find(' ', at) - at);
    const Result command = shell(name + " --help");
    EXPECT_EQ(command.status, 0) << name;
    EXPECT_THAT(command.text, HasSubstr("Examples:\n  ")) << name;
    EXPECT_THAT(command.text, HasSubstr("--config")) << name;
    ++commands;
  }
  EXPECT_GE(commands, 4);
}

TEST(Program, WrongUseEndsWithStatusTwo) {
  for (const auto* arguments :
       {"", "doctr", "doctor --jsno", "doctor more", "doctor --threads x", "doctor --threads -1",
        "doctor --threads", "run", "--threads 1", "doctor --json --json --config"}) {
    const Result result = complain(arguments);
    EXPECT_EQ(result.status, 2) << arguments;
    expect_one_line(result.text);
  }
}

TEST(Program, SuggestsTheClosest) {
  EXPECT_THAT(complain("doctr").text, HasSubstr("did you mean doctor?"));
  EXPECT_THAT(complain("doctor --jsno").text, HasSubstr("did you mean --json?"));
  EXPECT_THAT(complain("doctor --thread=2").text, HasSubstr("did you mean --threads?"));
  // The unknown option is the reason why the required one is missing.
  EXPECT_THAT(complain("compile x --ouput y").text, HasSubstr("did you mean --output?"));
}

TEST(Program, FailureEndsWithStatusOne) {
  for (const auto* arguments : {"doctor --config /nonexistent.yaml", "run /nonexistent.kobolt -",
                                "compile /nonexistent -o /tmp/x.kobolt"}) {
    const Result result = complain(std::string(arguments) + " </dev/null");
    EXPECT_EQ(result.status, 1) << arguments;
    expect_one_line(result.text);
    EXPECT_THAT(result.text, HasSubstr("/nonexistent"));
  }
}

TEST(Program, CompilesLayersToOtherPrecisions) {
  const std::string checkpoint = std::string(KOBOLT_TEST_DATA) + "/checkpoints/bart";
  const TemporaryFolder folder;
  const fs::path engine = folder.path() / "layers.kobolt";
  const std::string compile = "compile " + checkpoint + " -o " + engine.string() + " ";
  const Result result =
      shell(compile + "--precision int4 --layer lm_head=fp16 --layer 'decoder.layers.*.fc1=bf16'");
  EXPECT_EQ(result.status, 0);
  EXPECT_THAT(result.text, HasSubstr("int4, lm_head=fp16, decoder.layers.*.fc1=bf16"));
  const std::string inspected = shell("inspect " + engine.string()).text;
  for (const char* format : {"I4", "F16", "BF16"}) EXPECT_THAT(inspected, HasSubstr(format));
  fs::remove(engine);
  EXPECT_THAT(complain(compile + "--layer lmhead=fp16").text, HasSubstr("lm_head"));
  EXPECT_THAT(complain(compile + "--layer lm_head").text, HasSubstr("PATTERN=PRECISION"));
  EXPECT_THAT(complain(compile + "--layer lm_head=fp8").text, HasSubstr("bf16"));
  EXPECT_FALSE(fs::exists(engine));
}

TEST(Program, NoticesAFullDisk) {
  if (!fs::exists("/dev/full")) GTEST_SKIP() << "no /dev/full here";
  for (const auto* arguments : {"doctor", "--help", "--version", "doctor --json"}) {
    const Result result = shell(std::string(arguments) + " 2>&1 >/dev/full");
    EXPECT_EQ(result.status, 1) << arguments;
    EXPECT_THAT(result.text, HasSubstr("standard output"));
  }
}

TEST(Program, SurvivesClosedStreams) {
  EXPECT_EQ(shell("doctor >&-  2>/dev/null").status, 1);
  EXPECT_EQ(shell("doctor >/dev/null 2>&-").status, 0);
  EXPECT_EQ(shell("doctr 2>&-").status, 2);
  EXPECT_EQ(shell("doctor >/dev/null <&-").status, 0);
}

TEST(Program, EndsQuietlyWhenTheReaderIsGone) {
  // Waits until the other end of the pipe is closed; what it says and how it ends goes past the
  // pipe, through a third stream.
  const Result result = run_line(std::string("exec 3>&1; { sleep 1; '") + KOBOLT_PROGRAM +
                                 "' doctor 2>&3; echo status $? >&3; } | true");
  EXPECT_EQ(result.text, "status 1\n");
}

TEST(Doctor, TellsAboutThisMachineAsJson) {
  const Result result = shell("doctor --json --threads 3");
  ASSERT_EQ(result.status, 0);
  const auto report = nlohmann::json::parse(result.text);
  EXPECT_GE(report.at("cores_usable").get<int>(), 1);
  EXPECT_LE(report.at("cores_usable").get<int>(), report.at("cores_online").get<int>());
  EXPECT_GT(report.at("memory_total").get<double>(), report.at("memory_available").get<double>());
  EXPECT_EQ(report.at("threads"), 3);
  const auto& sets = report.at("instruction_sets");
  EXPECT_EQ(sets.back(), "scalar");
  EXPECT_NE(std::find(sets.begin(), sets.end(), report.at("instruction_set")), sets.end());
  for (const auto& set : report.at("kernels")) {
    const bool listed = std::find(sets.begin(), sets.end(), set.at("name")) != sets.end();
    EXPECT_EQ(set.at("runs_here"), listed) << set;
    EXPECT_TRUE(set.at("compiled") || !listed) << set;
    // Only what was run is used without being asked for.
    if (set.at("name") == report.at("instruction_set")) {
      EXPECT_NE(set.at("tested"), "not run");
    }
  }
  for (const auto& component : report.at("components")) {
    EXPECT_FALSE(component.at("install").get<std::string>().empty());
    EXPECT_EQ(component.at("found").get<bool>(),
              !component.at("library").get<std::string>().empty());
  }
}

TEST(Doctor, TextNamesEveryComponentAndWhatToInstall) {
  const Result result = shell("doctor");
  EXPECT_EQ(result.status, 0);
  for (const auto* name : {"CUDA driver", "TensorRT", "LibTorch", "ONNX Runtime", "cores"}) {
    EXPECT_THAT(result.text, HasSubstr(name));
  }
}

TEST(Eval, ScoresAModelAndItsSavedPredictionsAlike) {
  const std::string model = KOBOLT_SOURCE_DIR "/examples/deb-bart";
  const TemporaryFolder temporary;
  const fs::path& folder = temporary.path();
  std::ofstream(folder / "data.csv")
      << "name,text,line\n"
         "one,\"A tool that shows, as a tree, the files of a folder.\",show files as a tree\n"
         "two,This library reads and writes PNG images.,library for PNG images\n"
         "three,Fonts for the Korean language.,Korean fonts\n";
  const std::string data = "--data " + (folder / "data.csv").string() +
                           " --document-field text --summary-field line --id-field name";
  const std::string saved = (folder / "out.jsonl").string();

  const Result made = shell("eval " + model + " " + data + " --json --quiet --beams 2 " +
                            "--max-new-tokens 12 --predictions " + saved);
  ASSERT_EQ(made.status, 0) << made.text;
  const auto report = nlohmann::json::parse(made.text);
  EXPECT_EQ(report.at("documents"), 3);
  EXPECT_GT(report.at("documents_per_second").get<double>(), 0);
  EXPECT_EQ(report.at("settings").at("generation").at("num_beams"), 2);
  EXPECT_GT(report.at("rouge").at("rouge1").at("f").at("mean").get<double>(), 0);

  // Other data in another order: the ids of the saved file find their references.
  std::ofstream(folder / "data.jsonl")
      << "{\"id\": \"two\", \"summary\": \"library for PNG images\"}\n"
         "{\"id\": \"three\", \"summary\": \"Korean fonts\"}\n"
         "{\"id\": \"one\", \"summary\": \"show files as a tree\"}\n";
  const Result scored =
      shell("eval --json --score-only " + saved + " --data " + (folder / "data.jsonl").string());
  ASSERT_EQ(scored.status, 0) << scored.text;
  const auto again = nlohmann::json::parse(scored.text);
  for (const auto* measure : {"rouge1", "rouge2", "rougeL", "rougeLsum"}) {
    EXPECT_DOUBLE_EQ(again.at("rouge").at(measure).at("f").at("mean").get<double>(),
                     report.at("rouge").at(measure).at("f").at("mean").get<double>());
  }
}

TEST(Eval, WarmingUpChangesNoResult) {
  const TemporaryFolder folder;
  const std::string engine = (folder.path() / "int8.kobolt").string();
  ASSERT_EQ(
      shell("compile " KOBOLT_SOURCE_DIR "/examples/deb-bart --quiet --precision int8 -o " + engine)
          .status,
      0);
  std::ofstream(folder.path() / "data.jsonl")
      << R"({"document": "A tool that lists the files of a folder.", "summary": "list files"})"
         "\n"
         R"({"document": "Fonts for the Korean language.", "summary": "Korean fonts"})"
         "\n";
  const std::string call = "eval " + engine + " --json --quiet --max-new-tokens 8 --data " +
                           (folder.path() / "data.jsonl").string();
  const auto result = [&](const std::string& name, const std::string& flags) {
    const std::string file = (folder.path() / name).string();
    const Result made = shell(call + " --predictions " + file + flags);
    EXPECT_EQ(made.status, 0) << made.text;
    return std::pair(nlohmann::json::parse(made.text), run_line("cat " + file).text);
  };
  const auto [cold, cold_predictions] = result("cold.jsonl", "");
  const auto [warm, warm_predictions] = result("warm.jsonl", " --warmup 2");
  EXPECT_EQ(cold.at("settings").at("warmup"), 0);
  EXPECT_EQ(warm.at("settings").at("warmup"), 2);
  EXPECT_EQ(warm.at("rouge"), cold.at("rouge"));
  EXPECT_EQ(warm.at("documents"), 2);
  EXPECT_EQ(warm_predictions, cold_predictions);
  EXPECT_THAT(cold_predictions, HasSubstr("tokens"));
}

TEST(Eval, NeedsAModelOrPredictionsAndReferences) {
  EXPECT_EQ(complain("eval --data x.jsonl").status, 2);
  EXPECT_EQ(complain("eval model --score-only p --data x.jsonl").status, 2);
  EXPECT_EQ(complain("eval model --data x.jsonl --rouge-tokens words").status, 2);
  EXPECT_EQ(complain("eval model --data x.jsonl --score-only p --predictions q").status, 2);
  EXPECT_EQ(complain("eval model --data x.jsonl --warmup -1").status, 2);
  const Result nothing_to_warm = complain("eval --data x.jsonl --score-only p --warmup 1");
  EXPECT_EQ(nothing_to_warm.status, 2);
  EXPECT_THAT(nothing_to_warm.text, HasSubstr("--score-only excludes --warmup"));
  const Result result = shell("eval model --data - 2>&1 </dev/null");
  EXPECT_EQ(result.status, 1);
  EXPECT_THAT(result.text, HasSubstr("standard input: there are no documents in it"));
}

}  // namespace
