// Hard texts through every tokenizer, against what Hugging Face `tokenizers` makes of them
// (tests/golden/tokenizer_hard_cases.py, which also holds the texts in readable form).

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "kobolt/tokenizer.h"
#include "tokenizer/polynomial_hash.h"
#include "tokenizer/test_files.h"

namespace kobolt {
namespace {

const nlohmann::json& golden() {
  static const auto json = nlohmann::json::parse(read_file(test_data() / "hard_cases.json"));
  return json;
}

std::string from_hex(const std::string& hex) {
  std::string bytes;
  for (std::size_t i = 0; i < hex.size(); i += 2) {
    bytes.push_back(static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16)));
  }
  return bytes;
}

void expect_same(const Tokenizer& tokenizer, const nlohmann::json& hashes) {
  const auto& texts = golden().at("texts");
  ASSERT_EQ(texts.size(), hashes.size());
  for (std::size_t i = 0; i < texts.size(); ++i) {
    const std::string text = from_hex(texts[i]);
    PolynomialHash hash;
    hash.add(tokenizer.encode(text, {.add_special_tokens = false}));
    const auto ids = tokenizer.encode(text);
    hash.add(ids);
    hash.add(tokenizer.decode(ids));
    hash.add(tokenizer.decode(ids, false));
    EXPECT_EQ(hash.hex(), hashes[i].get<std::string>())
        << "text " << i << ": " << testing::PrintToString(text) << " became "
        << testing::PrintToString(ids) << " and "
        << testing::PrintToString(tokenizer.decode(ids, false));
  }
}

std::vector<std::string> names(const char* group) {
  std::vector<std::string> result;
  for (const auto& [name, cases] : golden().at(group).items()) result.push_back(name);
  return result;
}

std::string test_name(const testing::TestParamInfo<std::string>& name) {
  std::string result = name.param;
  for (char& c : result) {
    if (c == '-') c = '_';
  }
  return result;
}

class HardCases : public testing::TestWithParam<std::string> {};

TEST_P(HardCases, ComeOutAsFromHuggingFace) {
  expect_same(from_json(read_file(test_data() / "trained" / (GetParam() + ".json"))),
              golden().at("trained").at(GetParam()));
}

INSTANTIATE_TEST_SUITE_P(Trained, HardCases, testing::ValuesIn(names("trained")), test_name);

class SharedHardCases : public testing::TestWithParam<std::string> {};

TEST_P(SharedHardCases, ComeOutAsFromHuggingFace) {
  const auto file = shared_files() / "models" / GetParam() / "tokenizer.json";
  if (!std::filesystem::exists(file)) GTEST_SKIP() << file << " is not there";
  expect_same(from_json(read_file(file)), golden().at("shared").at(GetParam()));
}

INSTANTIATE_TEST_SUITE_P(Models, SharedHardCases, testing::ValuesIn(names("shared")), test_name);

class TruncationCases : public testing::TestWithParam<std::string> {};

TEST_P(TruncationCases, ComeOutAsFromHuggingFace) {
  const auto& expected = golden().at("truncated").at(GetParam());
  const std::string text = expected.at("text");
  for (const auto& entry : expected.at("cases")) {
    auto json = nlohmann::json::parse(read_file(test_data() / "trained" / (GetParam() + ".json")));
    json["truncation"] = entry.at("truncation");
    const Tokenizer tokenizer = from_json(json.dump());
    using Ids = std::vector<std::int32_t>;
    EXPECT_EQ(tokenizer.encode(text), entry.at("ids").get<Ids>()) << entry.at("truncation");
    EXPECT_EQ(tokenizer.encode(text, {.add_special_tokens = false}), entry.at("plain").get<Ids>())
        << entry.at("truncation");
    // The caller's limit does the same, from the right.
    if (entry.at("truncation").at("direction") != "Right") continue;
    json["truncation"] = nullptr;
    const Tokenizer unlimited = from_json(json.dump());
    EXPECT_EQ(unlimited.encode(text, {.max_length = entry.at("truncation").at("max_length")}),
              entry.at("ids").get<Ids>());
  }
}

INSTANTIATE_TEST_SUITE_P(Trained, TruncationCases, testing::ValuesIn(names("truncated")),
                         test_name);

}  // namespace
}  // namespace kobolt
