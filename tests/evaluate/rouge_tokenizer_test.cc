#include "evaluate/rouge_tokenizer.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace kobolt {
namespace {

using Tokens = std::vector<std::string>;

Tokens cut(std::string_view text, RougeTokens kind, bool stemmer = false) {
  Tokens tokens;
  RougeTokenizer(kind, stemmer).tokenize(text, tokens);
  return tokens;
}
Tokens words(std::string_view text) { return cut(text, RougeTokens::unicode); }
Tokens characters(std::string_view text) { return cut(text, RougeTokens::character); }

TEST(RougeTokenizerTest, WordsOfManyScripts) {
  EXPECT_EQ(words("Hello, World! 3.14"), (Tokens{"hello", "world", "3.14"}));
  EXPECT_EQ(words("데비안은 좋다."), (Tokens{"데비안은", "좋다"}));
  EXPECT_EQ(words("#Person1#는"), (Tokens{"person1", "는"}));
  EXPECT_EQ(words("Ёлка И СНЕГ"), (Tokens{"ёлка", "и", "снег"}));
  EXPECT_EQ(words("مرحبا، عالم"), (Tokens{"مرحبا", "عالم"}));
  EXPECT_EQ(words("हिन्दी भाषा"), (Tokens{"हिन्दी", "भाषा"}));
}

TEST(RougeTokenizerTest, DictionariesCutScriptsWithoutSpaces) {
  EXPECT_EQ(words("สวัสดีชาวโลก").size(), 3U);
  EXPECT_GT(words("東京都に住んでいます").size(), 2U);
}

TEST(RougeTokenizerTest, FoldsWhatReadersTakeAsEqual) {
  EXPECT_EQ(words("STRASSE"), words("Straße"));
  EXPECT_EQ(words("caf\u00e9"), words("CAFE\u0301"));
  EXPECT_EQ(words("don\u2019t"), Tokens{"don't"});
  EXPECT_EQ(words("co\u00adoperate"), Tokens{"cooperate"});
  EXPECT_EQ(words("ΟΔΟΣ"), words("οδος"));
}

TEST(RougeTokenizerTest, SymbolsAreNoTokens) {
  EXPECT_EQ(words("😀 — … ___ \u0301 $"), Tokens{});
  EXPECT_EQ(characters("😀 — … ___ \u0301 $"), Tokens{});
}

TEST(RougeTokenizerTest, CharactersAreGraphemes) {
  EXPECT_EQ(characters("한글 AB1"), (Tokens{"한", "글", "a", "b", "1"}));
  EXPECT_EQ(characters("ㅋㅋㅋ"), (Tokens{"ㅋ", "ㅋ", "ㅋ"}));
  EXPECT_EQ(characters("e\u0301x\u0323"), (Tokens{"\u00e9", "x\u0323"}));
}

TEST(RougeTokenizerTest, InvalidUtf8SeparatesAndNeverCrashes) {
  EXPECT_EQ(words("good \xFF\xFE\xC3 bytes"), (Tokens{"good", "bytes"}));
  EXPECT_EQ(cut("good\xFF\xC4"
                "bytes\xE2\x84",
                RougeTokens::ascii),
            (Tokens{"good", "bytes"}));
}

TEST(RougeTokenizerTest, AsciiIsRougeScores) {
  EXPECT_EQ(cut("Foo_bar-2 café", RougeTokens::ascii), (Tokens{"foo", "bar", "2", "caf"}));
  EXPECT_EQ(cut("3\u212a \u0130stanbul", RougeTokens::ascii), (Tokens{"3k", "i", "stanbul"}));
}

TEST(RougeTokenizerTest, OnlyLongAsciiWordsAreStemmed) {
  EXPECT_EQ(cut("cats was running", RougeTokens::ascii, true), (Tokens{"cat", "was", "run"}));
  EXPECT_EQ(cut("cats was läufing", RougeTokens::unicode, true), (Tokens{"cat", "was", "läufing"}));
}

}  // namespace
}  // namespace kobolt
