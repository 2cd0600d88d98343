// `kobolt eval --against`: the gate of a build pipeline, as the shell sees it.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "checkpoint/temporary_folder.h"
#include "cli/shell.h"

namespace kobolt::cli {
namespace {

using ::testing::HasSubstr;

class GateProgramTest : public ::testing::Test {
 protected:
  [[nodiscard]] std::string file(const std::string& name, const std::string& text) const {
    return folder_.write(name, text).string();
  }

  const TemporaryFolder folder_;
  const std::string data_ =
      file("data.jsonl",
           R"({"id": "a", "document": "A tool that lists files.", "summary": "list files"})"
           "\n"
           R"({"id": "b", "document": "Fonts for Korean.", "summary": "Korean fonts"})"
           "\n");
};

TEST_F(GateProgramTest, ExitStatusTellsWhetherEnoughIsLeft) {
  const std::string good = file("good.txt", "list files\nKorean fonts\n");
  const std::string less = file("less.txt", "list files\nsome fonts\n");
  const std::string call = " --data " + data_ + " --against " + good;

  const Result same = shell("eval --score-only " + good + call + " --keep 100%");
  EXPECT_EQ(same.status, 0) << same.text;
  EXPECT_THAT(same.text, HasSubstr("passed"));
  EXPECT_THAT(same.text, HasSubstr("mean length"));

  const Result failed = shell("eval --json --score-only " + less + call + " 2>/dev/null");
  EXPECT_EQ(failed.status, 3);
  const auto gate = nlohmann::json::parse(failed.text).at("gate");
  EXPECT_FALSE(gate.at("passed").get<bool>());
  EXPECT_DOUBLE_EQ(gate.at("measures").at("rouge1").at("kept").get<double>(), 0.75);
  EXPECT_TRUE(gate.at("measures").at("length").at("passed").get<bool>());
  EXPECT_THAT(complain("eval --score-only " + less + call).text,
              HasSubstr("ROUGE-1 keeps 75.00 % of the baseline, 99 % is needed"));
  EXPECT_EQ(shell("eval --score-only " + less + call + " --keep 0.5").status, 0);
}

TEST_F(GateProgramTest, AModelCanBeTheBaseline) {
  const std::string model = std::string(KOBOLT_SOURCE_DIR) + "/examples/deb-bart";
  const std::string engine = (folder_.path() / "int8.kobolt").string();
  ASSERT_EQ(shell("compile " + model + " --quiet --precision int8 -o " + engine).status, 0);
  const Result result = shell("eval " + engine + " --json --quiet --max-new-tokens 8 --data " +
                              data_ + " --against " + model + " --keep 1%");
  ASSERT_EQ(result.status, 0) << result.text;
  const auto gate = nlohmann::json::parse(result.text).at("gate");
  EXPECT_EQ(gate.at("baseline_settings").at("precision"), "fp32");
  EXPECT_EQ(gate.at("baseline_settings").at("generation").at("max_new_tokens"), 8);
}

TEST_F(GateProgramTest, SaysWhatABaselineCanBe) {
  const std::string good = file("good.txt", "list files\nKorean fonts\n");
  const std::string call = "eval --score-only " + good + " --data " + data_;
  const Result missing = complain(call + " --against nowhere");
  EXPECT_EQ(missing.status, 1);
  EXPECT_THAT(missing.text, HasSubstr("nowhere: there is no such file or folder"));
  const std::string onnx = file("model.onnx", "no matter what");
  EXPECT_THAT(complain(call + " --against " + onnx).text, HasSubstr("found ONNX model"));
  EXPECT_EQ(complain(call + " --against " + good + " --keep 99").status, 2);
  EXPECT_EQ(complain(call + " --keep 99%").status, 2);
}

}  // namespace
}  // namespace kobolt::cli
