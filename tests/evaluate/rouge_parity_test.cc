// `ascii` is rouge-score to the last bit: the golden files hold what it gave.

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <array>
#include <string>
#include <vector>

#include "golden.h"
#include "kobolt/evaluate.h"

namespace kobolt {
namespace {

using Values = std::vector<std::vector<double>>;

Values values_of(const RougeScore& score) {
  Values values;
  for (const Score& s : {score.rouge1, score.rouge2, score.rougeL, score.rougeLsum}) {
    values.push_back({s.precision, s.recall, s.f});
  }
  return values;
}

RougeOptions ascii(bool stemmer) { return {.tokens = RougeTokens::ascii, .stemmer = stemmer}; }

TEST(RougeParityTest, EveryGoldenPair) {
  const auto cases = golden("rouge.json");
  ASSERT_GT(cases.size(), 90U);
  for (const auto& one : cases) {
    const auto prediction = one["prediction"].get<std::string>();
    const auto references = one["references"].get<std::vector<std::string>>();
    for (const bool stemmer : {false, true}) {
      EXPECT_EQ(values_of(rouge(prediction, references, ascii(stemmer))),
                one[stemmer ? "stemmed" : "plain"].get<Values>())
          << (stemmer ? "stemmed: " : "plain: ") << prediction;
    }
  }
}

// The first sentence, or the whole of a document that has one only.
std::string lead(const std::string& document) {
  const auto stop = document.find(". ");
  return stop == std::string::npos ? document : document.substr(0, stop + 1);
}

TEST(RougeParityTest, RealDocuments) {
  if (!std::filesystem::exists(shared_data() / "dev.jsonl")) {
    GTEST_SKIP() << "needs " << shared_data() << ", which this machine does not have";
  }
  for (const auto& expected : golden("shared.json")) {
    const auto examples = read_dataset(shared_data() / expected["file"].get<std::string>(),
                                       {.need_references = true});
    ASSERT_EQ(examples.size(), expected["documents"]);
    std::vector<std::string> predictions;
    std::vector<std::vector<std::string>> references;
    for (const Example& example : examples) {
      predictions.push_back(lead(example.document));
      references.push_back(example.references);
    }
    for (const bool stemmer : {false, true}) {
      const auto& golden_scores = expected[stemmer ? "stemmed" : "plain"];
      const RougeReport report = rouge(predictions, references, ascii(stemmer));
      std::uint64_t hash = fnv1a({});
      for (const RougeScore& document : report.documents) {
        for (const auto& measure : values_of(document)) {
          hash = fnv1a(std::as_bytes(std::span(measure)), hash);
        }
      }
      EXPECT_EQ(fmt::format("{:016x}", hash), golden_scores["hash"]) << expected["file"];
      const auto mean = golden_scores["mean"].get<Values>();
      EXPECT_NEAR(report.rouge1.mid.precision, mean[0][0], 1e-12);
      EXPECT_NEAR(report.rouge2.mid.recall, mean[1][1], 1e-12);
      EXPECT_NEAR(report.rougeL.mid.f, mean[2][2], 1e-12);
      EXPECT_NEAR(report.rougeLsum.mid.f, mean[3][2], 1e-12);
    }
  }
}

}  // namespace
}  // namespace kobolt
