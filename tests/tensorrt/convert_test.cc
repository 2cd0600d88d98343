#include "export/tensorrt/convert.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "checkpoint/temporary_folder.h"
#include "export/tensorrt/plan_file.h"
#include "export/tensorrt/profile.h"
#include "kobolt/torchscript.h"
#include "tensorrt/fake_tensorrt.h"

namespace kobolt {
namespace {

using testing::HasSubstr;

class TensorRTConvert : public ::testing::Test {
 protected:
  TensorRTConversion run(const TensorRTOptions& options, TensorRTShape shape = {.sequence = 8},
                         bool dynamic = true) {
    return convert(model_, options, shape, output_, dynamic, here_);
  }
  std::string refusal(const TensorRTOptions& options, TensorRTShape shape = {.sequence = 8}) {
    return refused_by_tensorrt([&] { (void)run(options, shape); });
  }

  TemporaryFolder folder_;
  std::filesystem::path output_ = folder_.path() / "model.engine";
  Model model_ = Model::load(tiny_checkpoint());
  FakeTensorRT fake_;
  TensorRTAvailability here_ = judge(&fake_, "");
};

TEST_F(TensorRTConvert, BuildsFromOnnxAndRecordsWhatFor) {
  const TensorRTConversion made = run({.workspace_size = 12345, .max_batch_size = 9});
  EXPECT_EQ(made.backend, "TensorRT 10.3.0");
  EXPECT_EQ(made.path, output_);
  EXPECT_EQ(made.fallback_reason, "");
  EXPECT_EQ(fake_.graphs_found, 3);
  EXPECT_FALSE(std::filesystem::exists(fake_.newest.onnx_folder));
  EXPECT_EQ(fake_.newest.workspace_size, 12345U);
  EXPECT_EQ(fake_.newest.timing_cache, folder_.path() / "model.timing");

  const PlanFile file = PlanFile::open(output_);
  EXPECT_EQ(file.platform, here_.platform);
  EXPECT_EQ(file.profile.max_batch, 9);
  EXPECT_EQ(file.profile.min_batch, 1);
  EXPECT_EQ(file.profile.max_sequence, model_.config.max_positions);
  EXPECT_EQ(file.file->metadata().config, model_.config);
  EXPECT_EQ(file.file->metadata().precision, Precision::fp16);
  const auto plan = file.plan("decoder");
  EXPECT_EQ(std::string(reinterpret_cast<const char*>(plan.data()), plan.size()),
            "engine of decoder");
}

TEST_F(TensorRTConvert, FixesAxesWhereAskedTo) {
  (void)run({}, {.batch = 4, .sequence = 8}, false);
  const TensorRTProfile& profile = fake_.newest.profile;
  EXPECT_EQ(profile.min_batch, 4);
  EXPECT_EQ(profile.max_batch, 4);
  EXPECT_EQ(profile.min_sequence, 8);
  EXPECT_EQ(profile.max_sequence, 8);
  require_inside(profile, {.batch = 4, .sequence = 8}, "f");
  EXPECT_THAT(refused_by_tensorrt(
                  [&] { require_inside(profile, {.batch = 4, .sequence = 9}, "my.engine"); }),
              testing::AllOf(HasSubstr("outside of the engine's profile"), HasSubstr("my.engine"),
                             HasSubstr("4 x 9"), HasSubstr("max_batch_size")));
}

TEST_F(TensorRTConvert, RefusesShapesThatTheProfileCannotHave) {
  EXPECT_THAT(refusal({.max_batch_size = 4}, {.batch = 5, .sequence = 8}),
              testing::AllOf(HasSubstr("batch"), HasSubstr("1 to 4"), HasSubstr("max_batch_size")));
  EXPECT_THAT(refusal({}, {.sequence = model_.config.max_positions + 1}),
              testing::AllOf(HasSubstr("sequence"), HasSubstr("no positions")));
  EXPECT_THAT(refusal({}, {.batch = 0}), HasSubstr("batch"));
}

TEST_F(TensorRTConvert, WantsACalibrationForInt8) {
  EXPECT_THAT(refusal({.precision = Precision::int8}),
              testing::AllOf(HasSubstr("needs a calibration"), HasSubstr("kobolt calibrate"),
                             HasSubstr("fp16")));
  const Calibration other{.model_hash = "of something else"};
  EXPECT_THAT(refusal({.precision = Precision::int8, .calibration = &other}),
              HasSubstr("made with other weights"));
}

TEST_F(TensorRTConvert, FallsBackToTheEngineForProcessorsWithoutTensorRT) {
  here_ = judge(nullptr, "libkobolt_tensorrt.so is not installed");
  // That engine needs no calibration for int8.
  const TensorRTConversion made = run({.precision = Precision::int8});
  EXPECT_EQ(made.path, folder_.path() / "model.kobolt");
  EXPECT_EQ(made.backend, "Kobolt's CPU engine");
  EXPECT_THAT(made.fallback_reason,
              testing::AllOf(HasSubstr("TensorRT is missing"), HasSubstr("not installed")));
  Summarizer summarizer(made.path, {.threads = 1});
  EXPECT_EQ(summarizer.precision(), Precision::int8);
  EXPECT_FALSE(std::filesystem::exists(output_));
  const BenchmarkResult result =
      TensorRTOptimizer().benchmark(made.path, {.batch = 2, .sequence = 8}, 3, 1);
  EXPECT_EQ(result.times.size(), 3U);
}

TEST_F(TensorRTConvert, FallsBackWithoutAGpuToo) {
  fake_.gpu = false;
  here_ = judge(&fake_, "");
  EXPECT_EQ(here_.component, nullptr);
  EXPECT_THAT(run({}).fallback_reason,
              testing::AllOf(HasSubstr("no GPU"), HasSubstr("no CUDA-capable device")));
}

TEST_F(TensorRTConvert, FallsBackWhereTheEnginesWouldNotRun) {
  fake_.problem = "the engine cannot run on this GPU";
  const TensorRTConversion made = run({});
  EXPECT_EQ(made.path, folder_.path() / "model.kobolt");
  EXPECT_THAT(made.fallback_reason,
              testing::AllOf(HasSubstr("TensorRT 10.3.0 does not run on this GPU, Some GPU"),
                             HasSubstr("the engine cannot run on this GPU")));
  EXPECT_FALSE(std::filesystem::exists(output_));
  EXPECT_THAT(refusal({.fallback = TensorRTFallback::none}), HasSubstr("does not run on this GPU"));
}

TEST_F(TensorRTConvert, FailsWhereNoFallbackIsAllowed) {
  here_ = judge(nullptr, "libkobolt_tensorrt.so is not installed");
  EXPECT_THAT(refusal({.fallback = TensorRTFallback::none}), HasSubstr("TensorRT is missing"));
  EXPECT_TRUE(std::filesystem::is_empty(folder_.path()));
}

TEST_F(TensorRTConvert, FallsBackToTorchScriptOrSaysThatItIsMissingToo) {
  here_ = judge(nullptr, "libkobolt_tensorrt.so is not installed");
  const TensorRTOptions options{.fallback = TensorRTFallback::torchscript};
  if (libtorch_available()) {
    EXPECT_EQ(run(options).path, folder_.path() / "model.pt");
  } else {
    EXPECT_THAT(refusal(options), HasSubstr("LibTorch is missing"));
  }
}

}  // namespace
}  // namespace kobolt
