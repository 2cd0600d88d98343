// `kobolt compile --backend tensorrt` as a shell sees it, on a machine without TensorRT.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "checkpoint/temporary_folder.h"
#include "cli/shell.h"
#include "kobolt/summarizer.h"
#include "kobolt/tensorrt.h"

namespace kobolt::cli {
namespace {

using ::testing::HasSubstr;

class TensorRTProgramTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (TensorRTOptimizer::tensorrt_available()) GTEST_SKIP() << "TensorRT is here";
  }
  [[nodiscard]] std::string command(const std::string& more) const {
    return "compile '" KOBOLT_TEST_DATA "/checkpoints/bart' -o '" +
           (folder_.path() / "model.engine").string() + "' --sequence 8 " + more;
  }

  TemporaryFolder folder_;
};

TEST_F(TensorRTProgramTest, WarnsThatItFallsBackAndWhy) {
  const std::string saved = (folder_.path() / "saved.json").string();
  const Result result =
      complain(command("--backend tensorrt --precision fp16 --save-config '" + saved + "'"));
  EXPECT_EQ(result.status, 0);
  EXPECT_THAT(result.text, HasSubstr("warning: TensorRT is missing"));
  EXPECT_THAT(result.text, HasSubstr("model.kobolt is for Kobolt's CPU engine instead"));
  EXPECT_TRUE(std::filesystem::exists(folder_.path() / "model.kobolt"));
  EXPECT_EQ(TensorRTOptimizer::load_config(saved).options().precision, Precision::fp16);
}

TEST_F(TensorRTProgramTest, TakesTheDocumentedConfiguration) {
  const Result result =
      shell(command("--max-batch-size 3 --json --quiet --config '" KOBOLT_SOURCE_DIR
                    "/configs/inference/tensorrt.yaml'"));
  EXPECT_EQ(result.status, 0);
  EXPECT_THAT(result.text, HasSubstr("\"precision\": \"fp16\""));
  EXPECT_THAT(result.text, HasSubstr("TensorRT is missing"));
}

TEST_F(TensorRTProgramTest, FailsWithoutAFallback) {
  const Result result = complain(command("--backend tensorrt --fallback none"));
  EXPECT_EQ(result.status, 1);
  EXPECT_THAT(result.text, HasSubstr("TensorRT is missing"));
}

TEST_F(TensorRTProgramTest, RefusesFlagsThatWouldDoNothing) {
  for (const char* flag :
       {"--layer lm_head=fp16", "--sparse small",
        "--calibration-data '" KOBOLT_SOURCE_DIR "/examples/descriptions.jsonl'"}) {
    const Result result = complain(command(std::string("--backend tensorrt ") + flag));
    EXPECT_EQ(result.status, 2);
    EXPECT_THAT(result.text, HasSubstr("has no effect on TensorRT"));
  }
  const Result result = complain(command("--max-batch-size 4"));
  EXPECT_EQ(result.status, 2);
  EXPECT_THAT(result.text, HasSubstr("is for --backend tensorrt"));
}

TEST_F(TensorRTProgramTest, ConvertsTheModelThatIsAskedFor) {
  const std::string fallback = (folder_.path() / "model.kobolt").string();
  ASSERT_EQ(complain("compile '" KOBOLT_TEST_DATA "/checkpoints/bart' -o '" +
                     (folder_.path() / "model.engine").string() +
                     "' --backend tensorrt --beams 3 --prune structured+whole@0.5")
                .status,
            0);  // the model has fewer than 512 positions
  const auto pruned = std::filesystem::file_size(fallback);
  EXPECT_EQ(Summarizer(fallback, {.threads = 1}).generation().num_beams, 3);
  ASSERT_EQ(complain(command("--backend tensorrt")).status, 0);
  EXPECT_LT(pruned, std::filesystem::file_size(fallback));
}

}  // namespace
}  // namespace kobolt::cli
