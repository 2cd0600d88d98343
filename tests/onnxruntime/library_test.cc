#include "onnxruntime/library.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <string>
#include <vector>

#include "checkpoint/temporary_folder.h"

namespace kobolt {
namespace {

using testing::HasSubstr;

std::string problem_of(const std::vector<std::string>& places) {
  const OnnxRuntimeLibrary library(places);
  EXPECT_EQ(library.functions(), nullptr);
  return library.problem();
}

/// Sets an environment variable for as long as it lives.
class WithVariable {
 public:
  WithVariable(const char* name, const std::string& value) : name_(name) {
    if (const char* before = ::getenv(name)) before_ = before;
    ::setenv(name, value.c_str(), 1);
  }
  WithVariable(const WithVariable&) = delete;
  WithVariable& operator=(const WithVariable&) = delete;
  ~WithVariable() {
    if (before_.empty()) ::unsetenv(name_);
    if (!before_.empty()) ::setenv(name_, before_.c_str(), 1);
  }

 private:
  const char* name_;
  std::string before_;
};

TEST(OnnxRuntimeLibraryTest, SaysWhyThereIsNone) {
  EXPECT_THAT(problem_of({"/nonexistent/lib", "libkobolt-no-such.so"}), HasSubstr("was not found"));
  EXPECT_THAT(problem_of({"/nonexistent/lib"}), HasSubstr("/nonexistent/lib (KOBOLT_ONNXRUNTIME)"));
  EXPECT_THAT(problem_of({KOBOLT_OLD_LIBRARY}),
              HasSubstr("is ONNX Runtime 1.8.1; it has to be 1.12 or newer"));
  EXPECT_THAT(problem_of({KOBOLT_OTHER_LIBRARY}), HasSubstr("is no ONNX Runtime"));
  const TemporaryFolder temporary;
  const std::string text = temporary.write("libonnxruntime.so", "no library").string();
  EXPECT_THAT(problem_of({text}), HasSubstr("libonnxruntime.so"));
  // What is there counts more than what is not.
  EXPECT_THAT(problem_of({KOBOLT_OLD_LIBRARY, "/nonexistent"}), HasSubstr("1.8.1"));
}

TEST(OnnxRuntimeLibraryTest, FindsTheNameInAFolder) {
  const TemporaryFolder temporary;
  std::filesystem::copy_file(KOBOLT_OLD_LIBRARY, temporary.path() / "libonnxruntime.so.1.8.1");
  temporary.write("libonnxruntime_providers_shared.so", "not this one");
  EXPECT_THAT(problem_of({temporary.path().string()}),
              HasSubstr("libonnxruntime.so.1.8.1 is ONNX"));
}

TEST(OnnxRuntimeLibraryTest, LooksInTheActiveEnvironmentUnlessToldWhere) {
  const TemporaryFolder temporary;
  std::filesystem::create_directories(temporary.path() / "lib" / "python3.11");
  const WithVariable environment("VIRTUAL_ENV", temporary.path().string());
  const WithVariable none("KOBOLT_ONNXRUNTIME", "");
  EXPECT_THAT(OnnxRuntimeLibrary::places(),
              testing::Contains(
                  (temporary.path() / "lib/python3.11/site-packages/onnxruntime/capi").string()));
  const WithVariable named("KOBOLT_ONNXRUNTIME", "/some/where");
  EXPECT_THAT(OnnxRuntimeLibrary::places(), testing::ElementsAre("/some/where"));
}

}  // namespace
}  // namespace kobolt
