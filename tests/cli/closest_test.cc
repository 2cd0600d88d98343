#include "cli/closest.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace kobolt::cli {
namespace {

const std::vector<std::string> kNames{"--precision", "--threads", "--num-beams", "run"};

TEST(Closest, FindsWhatWasMeant) {
  EXPECT_EQ(closest("--precison", kNames), "--precision");
  EXPECT_EQ(closest("--thraeds", kNames), "--threads");
  EXPECT_EQ(closest("--num_beams", kNames), "--num-beams");
  EXPECT_EQ(closest("rum", kNames), "run");
}

TEST(Closest, SaysNothingWhenNothingIsNear) {
  EXPECT_EQ(closest("--colour", kNames), "");
  EXPECT_EQ(closest("", kNames), "");
  EXPECT_EQ(closest("run", {}), "");
  EXPECT_EQ(did_you_mean(""), "");
  EXPECT_EQ(did_you_mean("run"), "; did you mean run?");
}

}  // namespace
}  // namespace kobolt::cli
