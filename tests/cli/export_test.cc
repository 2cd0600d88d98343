// `kobolt export` as a shell sees it.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>

#include "checkpoint/temporary_folder.h"
#include "cli/shell.h"

namespace kobolt::cli {
namespace {

using testing::HasSubstr;
namespace fs = std::filesystem;

class ExportCommand : public testing::Test {
 protected:
  [[nodiscard]] std::string line(const std::string& more) const {
    return "export " KOBOLT_TEST_DATA "/checkpoints/bart --onnx '" + folder() + "' " + more;
  }
  [[nodiscard]] std::string folder() const { return (temporary_.path() / "out").string(); }

  const TemporaryFolder temporary_;
};

TEST_F(ExportCommand, ListsTheFilesAndTheirSizes) {
  const Result result = shell(line(""));
  EXPECT_EQ(result.status, 0);
  for (const char* name : {"encoder_model.onnx", "decoder_model.onnx",
                           "decoder_with_past_model.onnx", "model.onnx_data", "together"}) {
    EXPECT_THAT(result.text, HasSubstr(name));
  }
}

TEST_F(ExportCommand, PrintsJson) {
  const Result result = shell(line("--json --precision int8-weights --layer lm_head=fp32"));
  ASSERT_EQ(result.status, 0);
  const auto json = nlohmann::json::parse(result.text);
  EXPECT_EQ(json.at("precision"), "int8-weights");
  EXPECT_EQ(json.at("layers"), nlohmann::json({"lm_head=fp32"}));
  ASSERT_EQ(json.at("files").size(), 4U);
  for (const auto& file : json.at("files")) {
    EXPECT_EQ(file.at("bytes"), fs::file_size(file.at("path").get<std::string>()));
  }
}

TEST_F(ExportCommand, LeavesTheCheckpointBesideItAModel) {
  const fs::path both = temporary_.path() / "both";
  fs::copy(KOBOLT_TEST_DATA "/checkpoints/bart", both);
  ASSERT_EQ(shell("export '" + both.string() + "' --onnx '" + both.string() + "'").status, 0);
  ASSERT_TRUE(fs::exists(both / "encoder_model.onnx"));
  const Result result =
      shell("bench '" + both.string() + "' --sequence 4 --new-tokens 2 --iterations 1 --quiet");
  EXPECT_EQ(result.status, 0) << result.text;
}

TEST_F(ExportCommand, WrongUseIsToldFromFailure) {
  EXPECT_EQ(complain(line("--precision int2")).status, 2);
  EXPECT_EQ(complain(line("--opset 12")).status, 2);
  const Result fixed = complain(line("--dynamic-axes batch"));
  EXPECT_EQ(fixed.status, 2);
  EXPECT_THAT(fixed.text, HasSubstr("--sequence"));
  EXPECT_EQ(complain(line("--batch 4")).status, 2);
  EXPECT_EQ(complain(line("--layer lm_head=int2")).status, 1);
  EXPECT_THAT(complain(line("--precision int8")).text, HasSubstr("kobolt calibrate"));
  EXPECT_FALSE(fs::exists(folder()));
}

TEST_F(ExportCommand, FixesTheAxesThatItIsToldTo) {
  EXPECT_EQ(shell(line("--quiet --dynamic-axes none --batch 2 --sequence 9")).text, "");
  EXPECT_TRUE(fs::exists(folder() + "/encoder_model.onnx"));
}

}  // namespace
}  // namespace kobolt::cli
