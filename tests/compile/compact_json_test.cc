#include "compile/compact_json.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>

#include "kobolt/model.h"

namespace kobolt {
namespace {

TEST(CompactJson, DropsSpaceThatMeansNothing) {
  EXPECT_EQ(compact_json(" {\n  \"a\" : [ 1,\t2.5 , true ],\r\n  \"b c\": { }\n}\n"),
            R"({"a":[1,2.5,true],"b c":{}})");
}

TEST(CompactJson, KeepsStringsAsTheyAre) {
  const std::string text = R"({"a , b":" \" : [ ","\\":"\\\"  ,  "})";
  EXPECT_EQ(compact_json(text), text);
}

TEST(CompactJson, DoesNotRepairWhatIsBroken) {
  EXPECT_EQ(compact_json("[1 2, \"a\" \"b\"]"), "[1 2,\"a\" \"b\"]");
  for (const char* text : {"{\"a\": \"b", "{ \"a\\", "\"", " \" "}) {
    EXPECT_EQ(compact_json(text), text);
  }
  EXPECT_EQ(compact_json(""), "");
}

TEST(CompactJson, HalvesATokenizer) {
  const Model model =
      Model::load(std::filesystem::path(KOBOLT_SOURCE_DIR) / "examples" / "deb-bart");
  const std::string& text = model.tokenizer.at("tokenizer.json");
  const std::string compact = compact_json(text);
  EXPECT_LT(compact.size(), text.size() / 2);
  EXPECT_EQ(nlohmann::json::parse(compact), nlohmann::json::parse(text));
}

}  // namespace
}  // namespace kobolt
