// Folders of ONNX graphs on the command line.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "checkpoint/temporary_folder.h"
#include "cli/shell.h"
#include "kobolt/model.h"
#include "kobolt/onnx.h"
#include "onnxruntime/library.h"

namespace kobolt::cli {
namespace {

using testing::HasSubstr;

const std::string kCheckpoint = KOBOLT_TEST_DATA "/checkpoints/bart";
const std::string kShort = " --sequence 4 --new-tokens 2 --threads 1 --quiet ";

class OnnxFolders : public testing::Test {
 protected:
  OnnxFolders() { export_onnx(Model::load(kCheckpoint), folder()); }
  [[nodiscard]] std::string folder() const { return (temporary_.path() / "onnx").string(); }

 private:
  const TemporaryFolder temporary_;
};

TEST_F(OnnxFolders, SayWhatIsMissing) {
  const auto with = [this](const std::string& library) {
    return run_line("KOBOLT_ONNXRUNTIME='" + library + "' '" KOBOLT_PROGRAM "' bench " + folder() +
                    kShort + "2>&1 >/dev/null");
  };
  const Result missing = with("/nonexistent");
  EXPECT_EQ(missing.status, 1);
  EXPECT_THAT(missing.text, HasSubstr("ONNX Runtime is missing: /nonexistent"));
  EXPECT_THAT(missing.text, HasSubstr(folder()));
  EXPECT_THAT(missing.text, HasSubstr("pip install onnxruntime"));
  EXPECT_THAT(with(KOBOLT_OLD_LIBRARY).text, HasSubstr("1.8.1; it has to be 1.12 or newer"));
  const Result doctor =
      run_line("KOBOLT_ONNXRUNTIME='" KOBOLT_OLD_LIBRARY "' '" KOBOLT_PROGRAM "' doctor");
  EXPECT_THAT(doctor.text, HasSubstr("found, 1.8.1 (not used by this build)"));
  EXPECT_THAT(doctor.text, HasSubstr("it has to be 1.12 or newer"));
}

TEST_F(OnnxFolders, SingleGraphsAreNoModel) {
  const Result graph = complain("bench " + folder() + "/decoder_model.onnx");
  EXPECT_EQ(graph.status, 1);
  EXPECT_THAT(graph.text, HasSubstr("expected the folder that holds it"));
  EXPECT_THAT(complain("compare " + folder() + "/decoder_model.onnx").text,
              HasSubstr("a folder of ONNX graphs"));
}

TEST_F(OnnxFolders, AreComparedWithEngines) {
  const OnnxRuntimeLibrary& library = OnnxRuntimeLibrary::find();
  if (library.functions() == nullptr) GTEST_SKIP() << library.problem();
  const Result compared =
      shell("compare " + kCheckpoint + " " + folder() + kShort + "--rounds 8 --warmup 0 --json");
  ASSERT_EQ(compared.status, 0) << compared.text;
  const nlohmann::json systems = nlohmann::json::parse(compared.text).at("systems");
  ASSERT_EQ(systems.size(), 2U);
  EXPECT_EQ(systems[1].at("kind"), "ONNX model");
  EXPECT_GT(systems[1].at("memory").at("engine"), 10'000);
}

}  // namespace
}  // namespace kobolt::cli
