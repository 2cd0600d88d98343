#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "kobolt/error.h"
#include "kobolt/evaluate.h"

namespace kobolt {
namespace {

using Texts = std::vector<std::string>;

TEST(RougeTest, KoreanScoresWithUnicodeWordsAndNotWithAscii) {
  const Texts reference{"데비안 꾸러미를 관리하는 도구"};
  const std::string prediction = "꾸러미를 관리하는 도구";
  EXPECT_EQ(rouge(prediction, reference, {.tokens = RougeTokens::ascii}).rouge1.f, 0);
  const RougeScore score = rouge(prediction, reference);
  EXPECT_EQ(score.rouge1.precision, 1);
  EXPECT_EQ(score.rouge1.recall, 0.75);
  EXPECT_EQ(score.rouge2.recall, 2.0 / 3.0);
  EXPECT_EQ(score.rougeL.recall, 0.75);
}

TEST(RougeTest, CharactersSeeWhatParticlesHide) {
  const Texts reference{"학교에서"};
  EXPECT_EQ(rouge("학교에", reference).rouge1.f, 0);
  const RougeScore score = rouge("학교에", reference, {.tokens = RougeTokens::character});
  EXPECT_EQ(score.rouge1.precision, 1);
  EXPECT_EQ(score.rouge1.recall, 0.75);
}

TEST(RougeTest, DecomposedHangulEqualsComposed) {
  const std::string composed = "한글";
  const std::string decomposed = "\u1112\u1161\u11AB\u1100\u1173\u11AF";
  for (const RougeTokens tokens : {RougeTokens::unicode, RougeTokens::character}) {
    EXPECT_EQ(rouge(decomposed, Texts{composed}, {.tokens = tokens}).rouge1.f, 1);
  }
}

TEST(RougeTest, NothingToCompareScoresZero) {
  for (const RougeTokens tokens :
       {RougeTokens::unicode, RougeTokens::ascii, RougeTokens::character}) {
    for (const auto& [prediction, reference] : std::vector<std::pair<std::string, std::string>>{
             {"", ""}, {"", "a"}, {"a", ""}, {"!", "!"}}) {
      const RougeScore score = rouge(prediction, Texts{reference}, {.tokens = tokens});
      EXPECT_EQ(score.rouge1.f, 0);
      EXPECT_EQ(score.rouge2.precision, 0);
      EXPECT_EQ(score.rougeL.recall, 0);
      EXPECT_EQ(score.rougeLsum.f, 0);
    }
  }
}

TEST(RougeTest, EachMeasureTakesItsBestReference) {
  // The first shares more words, the second a pair.
  const RougeScore score = rouge("a b c", Texts{"c b a", "b c x y"});
  EXPECT_EQ(score.rouge1.f, 1);
  EXPECT_EQ(score.rouge2.precision, 0.5);
  EXPECT_EQ(score.rouge2.recall, 1.0 / 3.0);
}

TEST(RougeTest, ReportHasMeansAndIntervals) {
  const Texts predictions{"a b", "c d", "x"};
  const std::vector<Texts> references{{"a b"}, {"c e"}, {"y"}};
  const RougeReport report = rouge(predictions, references);
  ASSERT_EQ(report.documents.size(), 3U);
  EXPECT_EQ(report.documents[1].rouge1.f, 0.5);
  EXPECT_DOUBLE_EQ(report.rouge1.mid.f, 0.5);
  EXPECT_LT(report.rouge1.low.f, report.rouge1.mid.f);
  EXPECT_GT(report.rouge1.high.f, report.rouge1.mid.f);
  const RougeReport again = rouge(predictions, references);
  EXPECT_EQ(report.rouge1.low.f, again.rouge1.low.f);
  const RougeReport plain = rouge(predictions, references, {.bootstrap_samples = 0});
  EXPECT_EQ(plain.rouge1.low.f, plain.rouge1.mid.f);
}

TEST(RougeTest, RefusesWhatItCannotScore) {
  const Texts one{"a"};
  const std::vector<Texts> two{{"a"}, {"b"}};
  const std::vector<Texts> without{{}};
  EXPECT_THROW((void)rouge("a", Texts{}), Error);
  EXPECT_THROW((void)rouge(one, two), Error);
  EXPECT_THROW((void)rouge(one, without), Error);
  EXPECT_THROW((void)rouge(Texts{}, std::vector<Texts>{}), Error);
  EXPECT_THROW((void)rouge(one, std::vector<Texts>{{"a"}}, {.bootstrap_samples = -1}), Error);
  EXPECT_THROW((void)rouge(one, std::vector<Texts>{{"a"}}, {.confidence = 1}), Error);
}

TEST(RougeTest, NamesOfTokens) {
  EXPECT_EQ(rouge_tokens_from_name("unicode"), RougeTokens::unicode);
  EXPECT_EQ(rouge_tokens_from_name("ascii"), RougeTokens::ascii);
  EXPECT_EQ(rouge_tokens_from_name("char"), RougeTokens::character);
  EXPECT_THROW((void)rouge_tokens_from_name("words"), Error);
}

}  // namespace
}  // namespace kobolt
