#include "kobolt/tokenizer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "kobolt/error.h"
#include "tokenizer/test_files.h"

namespace kobolt {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// "ab" before "bc"; the unknown token is 0.
constexpr const char* small_bpe = R"({
  "added_tokens": [{"id": 7, "content": "<s>", "special": true}],
  "pre_tokenizer": {"type": "Metaspace", "replacement": "▁", "add_prefix_space": true},
  "decoder": {"type": "Metaspace", "replacement": "▁", "add_prefix_space": true},
  "model": {"type": "BPE", "unk_token": "<unk>",
            "vocab": {"<unk>": 0, "a": 1, "b": 2, "c": 3, "ab": 4, "bc": 5, "▁": 6},
            "merges": ["a b", "b c"]}})";

TEST(Tokenizer, JoinsTheBestPairFirst) {
  const Tokenizer tokenizer = from_json(small_bpe);
  EXPECT_THAT(tokenizer.encode("abc bc"), ElementsAre(6, 4, 3, 6, 5));
  EXPECT_EQ(tokenizer.decode(tokenizer.encode("abc bc")), "abc bc");
  EXPECT_EQ(tokenizer.kind(), "BPE");
}

TEST(Tokenizer, FindsAddedTokensAndKnowsItsVocabulary) {
  const Tokenizer tokenizer = from_json(small_bpe);
  EXPECT_EQ(tokenizer.vocab_size(), 8);
  EXPECT_THAT(tokenizer.encode("<s>a"), ElementsAre(7, 6, 1));
  EXPECT_EQ(tokenizer.decode(std::vector<std::int32_t>{7, 1}), "a");
  EXPECT_EQ(tokenizer.decode(std::vector<std::int32_t>{7, 1}, false), "<s>a");
  EXPECT_EQ(tokenizer.token_to_id("<s>"), 7);
  EXPECT_EQ(tokenizer.token_to_id("bc"), 5);
  EXPECT_EQ(tokenizer.token_to_id("x"), std::nullopt);
  EXPECT_EQ(tokenizer.id_to_token(4), "ab");
  EXPECT_EQ(tokenizer.id_to_token(8), std::nullopt);
  EXPECT_EQ(tokenizer.id_to_token(-1), std::nullopt);
  EXPECT_EQ(tokenizer.decode(std::vector<std::int32_t>{-5, 1, 99}), "a");
}

TEST(Tokenizer, CutsAtMaxLength) {
  const Tokenizer tokenizer = from_json(small_bpe);
  EXPECT_THAT(tokenizer.encode("abc bc", {.max_length = 3}), ElementsAre(6, 4, 3));
}

TEST(Tokenizer, ReadsInvalidUtf8AsReplacementCharacters) {
  const Tokenizer tokenizer = from_json(small_bpe);
  // Python reads these bytes, with errors="replace", as four U+FFFD.
  EXPECT_THAT(tokenizer.encode("\xED\xA0\x80\xE1\x80"), ElementsAre(6, 0, 0, 0, 0));
}

TEST(Tokenizer, NamesWhatItDoesNotKnow) {
  try {
    from_json(R"({"model": {"type": "Neural", "vocab": {}}})");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::unsupported);
    EXPECT_EQ(error.detail().field, "model.type");
    EXPECT_THAT(error.what(), HasSubstr("\"Neural\""));
  }
}

}  // namespace
}  // namespace kobolt
