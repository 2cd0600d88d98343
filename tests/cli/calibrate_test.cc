// `kobolt calibrate` as a shell sees it.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>

#include "checkpoint/temporary_folder.h"
#include "cli/shell.h"
#include "kobolt/calibrate.h"

namespace kobolt::cli {
namespace {

using ::testing::HasSubstr;

class CalibrateTest : public ::testing::Test {
 protected:
  [[nodiscard]] std::string out(const std::string& name) const {
    return "'" + (folder_.path() / name).string() + "'";
  }
  [[nodiscard]] std::string command(const std::string& more) const {
    const std::string examples = KOBOLT_SOURCE_DIR "/examples/";
    return "calibrate '" + examples + "deb-bart' --data '" + examples +
           "descriptions.jsonl' --samples 2 -o " + out("calibration.json") + " " + more;
  }

  TemporaryFolder folder_;
};

TEST_F(CalibrateTest, NamesTheNoisiestLayers) {
  const Result result = shell(command(""));
  EXPECT_EQ(result.status, 0);
  EXPECT_THAT(result.text, HasSubstr("49 layers, 2 documents, mse"));
  EXPECT_THAT(result.text, HasSubstr("fc2"));
  EXPECT_EQ(Calibration::load(folder_.path() / "calibration.json").layers.size(), 49U);
}

TEST_F(CalibrateTest, LeavesLayersOutOfAnEngine) {
  const Result result = shell(command("--method minmax --auto-mixed 40dB --quiet"));
  ASSERT_EQ(result.status, 0);
  EXPECT_EQ(result.text, "");
  const std::string compile = "compile '" KOBOLT_SOURCE_DIR "/examples/deb-bart' --quiet " +
                              std::string("--precision int8 -o ");
  ASSERT_EQ(shell(compile + out("int8.kobolt")).status, 0);
  ASSERT_EQ(
      shell(compile + out("mixed.kobolt") + " --calibration " + out("calibration.json")).status, 0);
  EXPECT_GT(std::filesystem::file_size(folder_.path() / "mixed.kobolt"),
            std::filesystem::file_size(folder_.path() / "int8.kobolt"));
}

TEST_F(CalibrateTest, IsRefusedForAnotherModel) {
  ASSERT_EQ(shell(command("--quiet")).status, 0);
  const Result result =
      complain("compile '" KOBOLT_TEST_DATA "/checkpoints/bart' -o " + out("bart.kobolt") +
               " --precision int8 --calibration " + out("calibration.json"));
  EXPECT_EQ(result.status, 1);
  EXPECT_THAT(result.text, HasSubstr("calibration.json"));
  EXPECT_THAT(result.text, HasSubstr("other weights"));
  EXPECT_FALSE(std::filesystem::exists(folder_.path() / "bart.kobolt"));
}

TEST_F(CalibrateTest, WantsDecibels) {
  const Result result = complain(command("--auto-mixed 40%"));
  EXPECT_EQ(result.status, 2);
  EXPECT_THAT(result.text, HasSubstr("decibels"));
}

TEST_F(CalibrateTest, RoundsInt4ForDocuments) {
  const std::string examples = KOBOLT_SOURCE_DIR "/examples/";
  const std::string compile = "compile '" + examples + "deb-bart' -o " + out("mixed.kobolt") +
                              " --precision int8 --calibration-data '" + examples +
                              "descriptions.jsonl' --calibration-samples 2 ";
  const Result result = shell(compile + "--layer decoder.layers.0.self_attn=int4 --json");
  ASSERT_EQ(result.status, 0);
  const auto rounding = nlohmann::json::parse(result.text).at("int4_rounding");
  EXPECT_EQ(rounding.at("documents"), 2);
  EXPECT_EQ(rounding.at("matrices").size(), 2U);
  for (const auto& matrix : rounding.at("matrices")) {
    EXPECT_GT(matrix.at("db"), matrix.at("plain_db")) << matrix.at("section");
  }
  EXPECT_THAT(shell(compile + "--layer decoder.layers.0.cross_attn.q=int4").text,
              HasSubstr("decoder.layers.0.cross_attn.q"));
  EXPECT_THAT(complain(compile).text, HasSubstr("nothing is in int4"));
  EXPECT_EQ(
      complain("compile '" + examples + "deb-bart' -o " + out("mixed.kobolt") + " --int4-share 25%")
          .status,
      2);
}

}  // namespace
}  // namespace kobolt::cli
