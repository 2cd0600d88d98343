#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "kernels/kernels.h"
#include "kernels/processor.h"
#include "kobolt/error.h"

namespace kobolt::kernels {
namespace {

using testing::HasSubstr;

/// Leaves the choice as it was found.
class DispatchTest : public testing::Test {
 protected:
  void TearDown() override {
    ::unsetenv("KOBOLT_ISA");
    force_instruction_set("");
  }
};

TEST_F(DispatchTest, FastestTestedSetIsTheDefaultAndScalarIsAlwaysThere) {
  ::unsetenv("KOBOLT_ISA");
  force_instruction_set("");
  EXPECT_TRUE(instruction_set_tested(instruction_set()));
  for (const std::string_view better : available_instruction_sets()) {
    if (better == instruction_set()) break;
    const bool slow = better == "AVX512_BF16" && slow_bf16_products();
    EXPECT_TRUE(slow || !instruction_set_tested(better)) << better;
  }
  EXPECT_EQ(available_instruction_sets().back(), "scalar");
}

TEST_F(DispatchTest, KnownSetsSayWhatTheAvailableOnesSay) {
  std::vector<std::string_view> found;
  for (const InstructionSet& set : known_instruction_sets()) {
    const auto available = available_instruction_sets();
    if (std::ranges::find(available, set.name) == available.end()) continue;
    found.push_back(set.name);
    EXPECT_TRUE(set.compiled) << set.name;
    EXPECT_EQ(!set.tested.empty(), instruction_set_tested(set.name)) << set.name;
  }
  EXPECT_TRUE(std::ranges::equal(found, available_instruction_sets()));
}

TEST_F(DispatchTest, ForcedSetIsActive) {
  for (const std::string_view name : available_instruction_sets()) {
    force_instruction_set(name);
    EXPECT_EQ(instruction_set(), name);
  }
}

TEST_F(DispatchTest, EnvironmentNamesTheSet) {
  for (const std::string_view name : available_instruction_sets()) {
    ::setenv("KOBOLT_ISA", std::string(name).c_str(), 1);
    force_instruction_set("");
    EXPECT_EQ(instruction_set(), name);
  }
}

TEST_F(DispatchTest, UnknownSetIsRefusedAndNothingChanges) {
  force_instruction_set("scalar");
  try {
    force_instruction_set("avx9");
    FAIL() << "accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::invalid_argument);
    EXPECT_THAT(error.what(), HasSubstr("found avx9"));
    EXPECT_THAT(error.what(), HasSubstr("scalar"));
  }
  EXPECT_EQ(instruction_set(), "scalar");
}

TEST_F(DispatchTest, UnknownSetInTheEnvironmentNamesTheVariable) {
  ::setenv("KOBOLT_ISA", "yes", 1);
  try {
    force_instruction_set("");
    FAIL() << "accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.detail().field, "KOBOLT_ISA");
    EXPECT_EQ(error.detail().found, "yes");
  }
}

}  // namespace
}  // namespace kobolt::kernels
