#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <string>

#include "checkpoint/temporary_folder.h"
#include "kobolt/tensorrt.h"
#include "tensorrt/fake_tensorrt.h"

namespace kobolt {
namespace {

using testing::HasSubstr;

TEST(TensorRTConfig, HasExactlyFourKeysAndComesBack) {
  const TemporaryFolder folder;
  const auto path = folder.path() / "tensorrt.json";
  const TensorRTOptimizer saved(
      {.precision = Precision::int8, .workspace_size = std::size_t{3} << 30U, .max_batch_size = 7});
  saved.save_config(path);
  const auto json = nlohmann::json::parse(std::ifstream(path));
  EXPECT_EQ(json,
            (nlohmann::json{{"precision", "int8"},
                            {"workspace_size", 3221225472},
                            {"max_batch_size", 7},
                            {"tensorrt_available", TensorRTOptimizer::tensorrt_available()}}));
  const TensorRTOptimizer loaded = TensorRTOptimizer::load_config(path);
  EXPECT_EQ(loaded.options().precision, Precision::int8);
  EXPECT_EQ(loaded.options().workspace_size, std::size_t{3} << 30U);
  EXPECT_EQ(loaded.options().max_batch_size, 7);
}

TEST(TensorRTConfig, HasTheDefaultsThatAreDocumented) {
  const TensorRTOptimizer optimizer;
  EXPECT_EQ(optimizer.options().workspace_size, 1073741824U);
  EXPECT_EQ(optimizer.options().max_batch_size, 32);
}

TEST(TensorRTConfig, NamesWhatIsWrong) {
  const TemporaryFolder folder;
  const auto refusal = [&](const std::string& text) {
    const auto path = folder.write("bad.json", text);
    return refused_by_tensorrt([&] { (void)TensorRTOptimizer::load_config(path); });
  };
  const std::string rest =
      R"("workspace_size": 1, "max_batch_size": 1, "tensorrt_available": true)";
  EXPECT_THAT(refusal("{" + rest + "}"), HasSubstr("precision"));
  EXPECT_THAT(refusal(R"({"precision": "int4", )" + rest + "}"), HasSubstr("fp32, fp16 or int8"));
  EXPECT_THAT(refusal(R"({"precision": "fp16", "beams": 4, )" + rest + "}"), HasSubstr("beams"));
  const std::string sizes = R"({"precision": "fp16", "tensorrt_available": true, )";
  EXPECT_THAT(refusal(sizes + R"("workspace_size": 0, "max_batch_size": 1})"),
              HasSubstr("workspace_size"));
  EXPECT_THAT(refusal(sizes + R"("workspace_size": 1, "max_batch_size": "many"})"),
              HasSubstr("max_batch_size"));
  EXPECT_THAT(refusal("nonsense"), HasSubstr("bad.json"));
}

TEST(TensorRTConfig, RefusesOptionsThatMakeNoSense) {
  const auto refusal = [](TensorRTOptions options) {
    return refused_by_tensorrt([&] { const TensorRTOptimizer optimizer(options); });
  };
  EXPECT_THAT(refusal({.precision = Precision::int4}), HasSubstr("fp32, fp16 or int8"));
  EXPECT_THAT(refusal({.workspace_size = 0}), HasSubstr("workspace_size"));
  EXPECT_THAT(refusal({.max_batch_size = 0}), HasSubstr("max_batch_size"));
  EXPECT_THAT(refused_by_tensorrt([] { (void)tensorrt_fallback_from_name("cuda"); }),
              HasSubstr("torchscript"));
}

}  // namespace
}  // namespace kobolt
