// Folders without tokenizer.json, against their own ("slow") tokenizers
// (tests/golden/tokenizer_folders.py).

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "kobolt/error.h"
#include "kobolt/tokenizer.h"
#include "tokenizer/test_files.h"

namespace kobolt {
namespace {

using testing::HasSubstr;

const nlohmann::json& golden_folders() {
  static const auto json = nlohmann::json::parse(read_file(test_data() / "folders.json"));
  return json;
}

Family family_of(const std::string& name) {
  const std::map<std::string, Family> families = {{"bart", Family::bart},
                                                  {"marian", Family::marian},
                                                  {"mbart", Family::mbart},
                                                  {"pegasus", Family::pegasus}};
  return families.at(golden_folders().at("folders").at(name).at("family"));
}

std::vector<std::string> folder_names() {
  std::vector<std::string> names;
  for (const auto& [name, entry] : golden_folders().at("folders").items()) names.push_back(name);
  return names;
}

class Folders : public testing::TestWithParam<std::string> {
 protected:
  TokenizerFiles files_ = read_folder(test_data() / "folders" / GetParam());
  Family family_ = family_of(GetParam());
};

TEST_P(Folders, GiveTheIdsAndTextOfTheSlowTokenizer) {
  const Tokenizer tokenizer = Tokenizer::load(files_, family_);
  const auto& cases = golden_folders().at("folders").at(GetParam()).at("cases");
  for (std::size_t i = 0; i < cases.size(); ++i) {
    const std::string text = golden_folders().at("texts").at(i);
    const auto ids = tokenizer.encode(text);
    EXPECT_EQ(ids, cases[i].at("ids").get<std::vector<std::int32_t>>()) << text;
    EXPECT_EQ(tokenizer.decode(ids), cases[i].at("text").get<std::string>()) << text;
    EXPECT_EQ(tokenizer.decode(ids, false), cases[i].at("special").get<std::string>()) << text;
  }
}

TEST_P(Folders, CountSpecialTokensAgainstTheLimit) {
  const Tokenizer tokenizer = Tokenizer::load(files_, family_);
  const auto whole = tokenizer.encode("The quick brown fox jumps over the lazy dog.");
  const auto cut =
      tokenizer.encode("The quick brown fox jumps over the lazy dog.", {.max_length = 6});
  ASSERT_EQ(cut.size(), 6U);
  EXPECT_EQ(cut.front(), whole.front());
  EXPECT_EQ(cut.back(), whole.back());
}

// Every way to cut a file short ends in an Error or in a tokenizer that works, never in a crash.
TEST_P(Folders, SurviveTruncatedFiles) {
  for (const auto& [name, bytes] : files_) {
    const std::size_t step = bytes.size() / 60 + 1;
    for (std::size_t size = 0; size < bytes.size(); size += step) {
      TokenizerFiles files = files_;
      files[name] = bytes.substr(0, size);
      try {
        const Tokenizer tokenizer = Tokenizer::load(files, family_);
        static_cast<void>(tokenizer.decode(tokenizer.encode("The ＡＢＣ 안녕 fox.")));
      } catch (const Error& error) {
        EXPECT_THAT(error.what(), HasSubstr(error.detail().file));
      }
    }
  }
}

// So does every flipped byte.
TEST_P(Folders, SurviveDamagedFiles) {
  for (const auto& [name, bytes] : files_) {
    const std::size_t step = bytes.size() / 150 + 1;
    for (std::size_t at = 0; at < bytes.size(); at += step) {
      TokenizerFiles files = files_;
      files[name][at] = static_cast<char>(static_cast<unsigned char>(bytes[at]) ^ 0xB5U);
      try {
        const Tokenizer tokenizer = Tokenizer::load(files, family_);
        static_cast<void>(tokenizer.decode(tokenizer.encode("The ＡＢＣ 안녕 fox.")));
      } catch (const Error& error) {
        EXPECT_FALSE(std::string(error.what()).empty());
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(All, Folders, testing::ValuesIn(folder_names()),
                         [](const auto& name) { return name.param; });

TEST(FolderErrors, NameTheMissingFile) {
  TokenizerFiles files = read_folder(test_data() / "folders" / "marian");
  files.erase("target.spm");
  try {
    Tokenizer::load(files, Family::marian);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::not_found);
    EXPECT_EQ(error.detail().file, "target.spm");
  }
  EXPECT_THROW(Tokenizer::load({}, Family::bart), Error);
}

TEST(FolderErrors, NameTheLineOfABadMerge) {
  TokenizerFiles files = read_folder(test_data() / "folders" / "bart");
  files["merges.txt"] = "#version: 0.2\n\na zzz\n";
  try {
    Tokenizer::load(files, Family::bart);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::corrupt);
    EXPECT_EQ(error.detail().file, "merges.txt");
    EXPECT_EQ(error.detail().field, "line 3");
    EXPECT_EQ(error.detail().found, "zzz");
  }
}

TEST(FolderErrors, NameAnUnknownLanguage) {
  TokenizerFiles files = read_folder(test_data() / "folders" / "mbart");
  files["tokenizer_config.json"] = R"({"src_lang": "tlh"})";
  try {
    Tokenizer::load(files, Family::mbart);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.detail().field, "src_lang");
    EXPECT_THAT(error.detail().found, HasSubstr("tlh"));
  }
}

TEST(MarianFolder, DecodesWithTheTargetVocabularyWhereItIsSeparate) {
  TokenizerFiles files = read_folder(test_data() / "folders" / "marian");
  files["tokenizer_config.json"] = R"({"separate_vocabs": true})";
  files["target_vocab.json"] = R"({"</s>": 0, "<unk>": 1, "▁the": 2, "▁fox": 3})";
  const Tokenizer tokenizer = Tokenizer::load(files, Family::marian);
  EXPECT_EQ(tokenizer.decode(std::vector<std::int32_t>{2, 3, 0}), "the fox");
}

}  // namespace
}  // namespace kobolt
