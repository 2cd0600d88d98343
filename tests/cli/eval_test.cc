// What `kobolt eval` does around the model: matching predictions, writing them, showing scores.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "base/mapped_file.h"
#include "checkpoint/temporary_folder.h"
#include "cli/predictions.h"
#include "cli/rouge_report.h"
#include "kobolt/error.h"

namespace kobolt::cli {
namespace {

using ::testing::HasSubstr;
using Texts = std::vector<std::string>;

std::string error_of(const std::vector<Example>& predictions, const std::vector<Example>& data) {
  try {
    (void)matched_predictions(predictions, data, "out.jsonl");
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

TEST(PredictionsTest, IdsDecideTheOrder) {
  const std::vector<Example> data{{.id = "a"}, {.id = "b"}};
  const std::vector<Example> predictions{{.id = "b", .document = "second"},
                                         {.id = "x", .document = "not asked for"},
                                         {.id = "a", .document = "first"}};
  EXPECT_EQ(matched_predictions(predictions, data, "f"), (Texts{"first", "second"}));
}

TEST(PredictionsTest, WithoutIdsTheOrderOfTheFileHolds) {
  const std::vector<Example> data{{.id = "a"}, {.id = "b"}};
  const std::vector<Example> predictions{{.id = "1", .document = "first", .numbered = true},
                                         {.id = "2", .document = "second", .numbered = true}};
  EXPECT_EQ(matched_predictions(predictions, data, "f"), (Texts{"first", "second"}));
  EXPECT_THAT(error_of({predictions[0]}, data), HasSubstr("matched in order"));
}

TEST(PredictionsTest, GapsAndRepetitionsAreErrors) {
  const std::vector<Example> data{{.id = "a"}, {.id = "b"}};
  EXPECT_THAT(error_of({{.id = "a"}}, data), HasSubstr("the id 'b'"));
  EXPECT_THAT(error_of({{.id = "a"}, {.id = "b"}, {.id = "a"}}, data), HasSubstr("same id"));
}

class PredictionsFileTest : public ::testing::Test {
 protected:
  const TemporaryFolder temporary_;
  const std::filesystem::path& folder_ = temporary_.path();
};

TEST_F(PredictionsFileTest, CanBeReadBackAndScored) {
  {
    PredictionsFile file(folder_ / "out.jsonl");
    EXPECT_TRUE(std::filesystem::is_empty(folder_));
    file.add({.id = "a", .references = {"one"}}, {.text = "한글 \xFF", .tokens = {1, 2}});
    file.add({.id = "b", .references = {"one", "two"}}, {.text = "", .score = -0.5});
    file.commit();
  }
  const auto predictions = read_dataset(
      folder_ / "out.jsonl",
      {.document_field = "summary", .summary_field = "reference", .need_references = true});
  ASSERT_EQ(predictions.size(), 2U);
  EXPECT_EQ(predictions[0].id, "a");
  EXPECT_EQ(predictions[0].document, "한글 \uFFFD");
  EXPECT_EQ(predictions[1].document, "");
  EXPECT_EQ(predictions[1].references, (Texts{"one", "two"}));
  EXPECT_THAT(read_text_file(folder_ / "out.jsonl"), HasSubstr("\"tokens\":[1,2],\"score\":0.0"));
}

TEST_F(PredictionsFileTest, ABadPathFailsBeforeTheWork) {
  EXPECT_THROW(PredictionsFile(folder_ / "no" / "out.jsonl"), Error);
  EXPECT_THROW(PredictionsFile{folder_}, Error);
  EXPECT_TRUE(std::filesystem::is_empty(folder_));
}

RougeReport some_report() {
  RougeReport report;
  report.rouge1 = {.low = {0.1, 0.2, 0.3}, .mid = {0.4, 0.5, 0.45}, .high = {0.6, 0.7, 0.65}};
  return report;
}

TEST(RougeReportTest, TableShowsTheIntervalOfF) {
  const std::string table = rouge_table(some_report(), {});
  EXPECT_THAT(table, HasSubstr("95 % interval of F"));
  EXPECT_THAT(table, HasSubstr("0.4000  0.5000  0.4500  0.3000 to 0.6500"));
  EXPECT_THAT(rouge_table(some_report(), {.bootstrap_samples = 0}), Not(HasSubstr("interval")));
}

TEST(RougeReportTest, JsonHasEveryPartWithItsBounds) {
  const Json json = rouge_json(some_report(), {});
  EXPECT_EQ(json["rouge1"]["precision"]["mean"], 0.4);
  EXPECT_EQ(json["rouge1"]["recall"]["low"], 0.2);
  EXPECT_EQ(json["rouge1"]["f"]["high"], 0.65);
  EXPECT_EQ(json["rougeLsum"]["f"]["mean"], 0.0);
  EXPECT_FALSE(rouge_json(some_report(), {.bootstrap_samples = 0})["rouge1"]["f"].contains("low"));
  EXPECT_EQ(rouge_settings({.tokens = RougeTokens::character})["rouge_tokens"], "char");
}

}  // namespace
}  // namespace kobolt::cli
