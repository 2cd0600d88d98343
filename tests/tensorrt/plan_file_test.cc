#include "export/tensorrt/plan_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "checkpoint/temporary_folder.h"
#include "kobolt/compile.h"
#include "tensorrt/fake_tensorrt.h"

namespace kobolt {
namespace {

using testing::AllOf;
using testing::HasSubstr;

class TensorRTPlanFile : public ::testing::Test {
 protected:
  void SetUp() override {
    write_plan_file(path_, Model::load(tiny_checkpoint()), Precision::fp16, built_, {},
                    {{"encoder", "1"}, {"decoder", "2"}});
  }

  TemporaryFolder folder_;
  std::filesystem::path path_ = folder_.path() / "model.engine";
  TensorRTPlatform built_{.version = "10.3.0", .device = "GPU A", .compute_capability = "8.0"};
};

TEST_F(TensorRTPlanFile, IsForOneVersionAndDevice) {
  const PlanFile file = PlanFile::open(path_);
  file.require(built_);
  TensorRTPlatform other = built_;
  other.version = "11.1.0";
  EXPECT_THAT(refused_by_tensorrt([&] { file.require(other); }),
              AllOf(HasSubstr("another version of TensorRT"), HasSubstr("10.3.0"),
                    HasSubstr("11.1.0"), HasSubstr("convert the model again")));
  other = built_;
  other.device = "GPU B";
  EXPECT_THAT(refused_by_tensorrt([&] { file.require(other); }),
              AllOf(HasSubstr("another GPU"), HasSubstr("GPU A"), HasSubstr("GPU B")));
}

TEST_F(TensorRTPlanFile, SaysWhichEngineIsMissing) {
  const PlanFile file = PlanFile::open(path_);
  EXPECT_EQ(file.plan("encoder").size(), 1U);
  EXPECT_THAT(refused_by_tensorrt([&] { (void)file.plan("decoder_with_past"); }),
              AllOf(HasSubstr("model.engine"), HasSubstr("decoder_with_past")));
}

TEST_F(TensorRTPlanFile, IsNotTakenForAnEngineOfTheProcessorNorTheOtherWayRound) {
  EXPECT_THAT(refused_by_tensorrt([&] { const Summarizer summarizer(path_); }),
              AllOf(HasSubstr("TensorRT"), HasSubstr("model.engine")));
  const auto own = folder_.path() / "own.kobolt";
  compile(Model::load(tiny_checkpoint()), own);
  EXPECT_THAT(refused_by_tensorrt([&] { (void)PlanFile::open(own); }),
              HasSubstr("no TensorRT engine"));
}

TEST_F(TensorRTPlanFile, IsCheckedForDamage) {
  std::string bytes(std::filesystem::file_size(path_), '\0');
  std::ifstream(path_, std::ios::binary).read(bytes.data(), std::ssize(bytes));
  bytes[70] = static_cast<char>(bytes[70] ^ 1);  // in the first section
  const auto damaged = folder_.write("damaged.engine", bytes);
  EXPECT_THAT(refused_by_tensorrt([&] { (void)PlanFile::open(damaged); }),
              HasSubstr("damaged.engine"));
}

}  // namespace
}  // namespace kobolt
