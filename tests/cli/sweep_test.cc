#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "checkpoint/temporary_folder.h"
#include "cli/sweep_amounts.h"
#include "cli/sweep_folder.h"
#include "cli/sweep_point.h"
#include "kobolt/error.h"
#include "kobolt/pruning_recipe.h"

namespace kobolt::cli {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
namespace fs = std::filesystem;

TEST(SweepAmounts, DotsGoOnInSteps) {
  EXPECT_THAT(sweep_amounts("0,0.1,...,0.6"), ElementsAre(0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6));
  EXPECT_THAT(sweep_amounts("0.5,0.2"), ElementsAre(0.2, 0.5));
  EXPECT_THAT(sweep_amounts("0.2,0.2"), ElementsAre(0.2));
  EXPECT_THAT(sweep_amounts("0,0.25,...,0.6"), ElementsAre(0, 0.25, 0.5, 0.6));
  EXPECT_THAT(sweep_amounts("0,0.1,...,0.3,0.5,...,0.9"),
              ElementsAre(0, 0.1, 0.2, 0.3, 0.5, 0.7, 0.9));
  for (const char* wrong : {"", ",", "0.1,", "x", "0.1x", "nan", "-0.1", "1", "2", "...",
                            "0.1,...,0.5", "0,0.1,...", "0.1,0.1,...,0.5", "0.2,0.1,...,0.5",
                            "0,0.1,...,0.05", "0,0.1,...,...,0.5", "0,1e-9,...,0.5"}) {
    EXPECT_THROW((void)sweep_amounts(wrong), Error) << wrong;
  }
}

TEST(SweepMethods, AreWaysOfPruning) {
  for (const std::string& name : default_sweep_methods()) {
    EXPECT_EQ(pruning_recipe_from_name(name).name, name);
  }
}

const std::vector<SweepPoint> kPoints = {
    {.method = "dense", .rouge_l = 0.4, .seconds = 0.02, .file_bytes = 8000000, .peak_memory = 1},
    {.method = "global",
     .amount = 0.5,
     .sparsity = 0.25,
     .rouge_l = 0.3,
     .seconds = 0.01,
     .speedup = 2,
     .file_bytes = 4000000,
     .peak_memory = 2}};

TEST(SweepPoints, AreStoredAndShown) {
  const SweepPoint read = sweep_point_from_json(to_json(kPoints[1]), "");
  EXPECT_EQ(to_json(read), to_json(kPoints[1]));
  EXPECT_DOUBLE_EQ(loss_percent(kPoints[0], kPoints[1]), 25);
  EXPECT_EQ(loss_percent({}, kPoints[1]), 0);
  EXPECT_THAT(sweep_csv(kPoints), HasSubstr("global,0.5,0.25,0.3,25.0"));
  EXPECT_THAT(sweep_markdown(kPoints),
              HasSubstr("| global | 0.5 | 25.0 % | 0.3000 | 25.0 % | 10.0 ms | 2.00x | 4.0 MB |"));
  EXPECT_THAT(sweep_text(kPoints), HasSubstr("2.00x"));
  EXPECT_THAT(sweep_svg(kPoints), HasSubstr(">global</text>"));
  Json broken = to_json(kPoints[1]);
  broken["rouge_l"] = "much";
  EXPECT_THROW((void)sweep_point_from_json(broken, "file"), Error);
}

class SweepFolderTest : public testing::Test {
 protected:
  [[nodiscard]] fs::path path() const { return folder_.path() / "sweep"; }
  std::string refusal(const Json& options) {
    try {
      const SweepFolder folder(path(), options);
    } catch (const Error& error) {
      return error.what();
    }
    return "nothing was refused";
  }
  const TemporaryFolder folder_;
};

TEST_F(SweepFolderTest, GoesOnWithTheSameOptionsOnly) {
  const Json options = {{"precision", "int8"}, {"documents", 20}};
  {
    const SweepFolder folder(path(), options);
    EXPECT_FALSE(folder.point("dense"));
    folder.store("dense", to_json(kPoints[0]));
  }
  const SweepFolder again(path(), options);
  EXPECT_EQ(again.point("dense"), to_json(kPoints[0]));
  EXPECT_FALSE(again.point("global@0.5"));
  const std::string message = refusal({{"precision", "int8"}, {"documents", 30}});
  for (const char* part : {"other options", "documents", "20", "30"}) {
    EXPECT_THAT(message, HasSubstr(part));
  }
  EXPECT_THAT(refusal({{"precision", "int8"}}), HasSubstr("nothing, as given now"));
  EXPECT_THAT(refusal({{"precision", "int8"}, {"documents", 20}, {"norm", "1"}}),
              HasSubstr("norm"));
}

TEST_F(SweepFolderTest, RefusesWhatIsNoSweep) {
  fs::create_directories(path());
  std::ofstream(path() / "letter.txt") << "dear";
  EXPECT_THAT(refusal({}), HasSubstr("no sweep"));
  fs::remove(path() / "letter.txt");
  std::ofstream(path() / "options.json") << "{";
  EXPECT_THAT(refusal({}), HasSubstr("not a file that a sweep has written"));
  fs::remove(path() / "options.json");
  const SweepFolder folder(path(), {{"a", 1}});
  std::ofstream(path() / "points" / "dense.json") << "[1]";
  EXPECT_THROW((void)folder.point("dense"), Error);
}

}  // namespace
}  // namespace kobolt::cli
