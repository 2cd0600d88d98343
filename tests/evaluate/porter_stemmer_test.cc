#include "evaluate/porter_stemmer.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <set>
#include <string>

#include "evaluate/rouge_tokenizer.h"
#include "golden.h"
#include "kobolt/evaluate.h"

namespace kobolt {
namespace {

TEST(PorterStemmerTest, EqualsNltkOnTheWordList) {
  const auto stems = golden("stems.json");
  ASSERT_GT(stems.size(), 4000U);
  for (const auto& [word, stem] : stems.items()) {
    EXPECT_EQ(porter_stem(word), stem.get<std::string>()) << word;
  }
}

TEST(PorterStemmerTest, LongWordsOfOneLetter) {
  // A run of y alternates between consonant and vowel; a recursive reading would overflow.
  EXPECT_EQ(porter_stem(std::string(200'000, 'y')).size(), 200'000U);
  EXPECT_EQ(porter_stem("s"), "s");
  EXPECT_EQ(porter_stem(""), "");
}

TEST(PorterStemmerTest, EqualsNltkOnTheVocabularyOfRealText) {
  if (!std::filesystem::exists(shared_data() / "dev.jsonl")) {
    GTEST_SKIP() << "needs " << shared_data() << ", which this machine does not have";
  }
  for (const auto& expected : golden("shared.json")) {
    std::set<std::string> vocabulary;
    RougeTokenizer tokenizer(RougeTokens::ascii, false);
    for (const Example& example :
         read_dataset(shared_data() / expected["file"].get<std::string>())) {
      std::vector<std::string> tokens;
      tokenizer.tokenize(example.document + " " + example.references.at(0), tokens);
      vocabulary.insert(tokens.begin(), tokens.end());
    }
    EXPECT_EQ(vocabulary.size(), expected["words"]);
    std::string stems;
    for (const std::string& word : vocabulary) stems += porter_stem(word) + "\n";
    EXPECT_EQ(fmt::format("{:016x}", fnv1a(std::as_bytes(std::span(stems)))), expected["stems"])
        << expected["file"];
  }
}

}  // namespace
}  // namespace kobolt
