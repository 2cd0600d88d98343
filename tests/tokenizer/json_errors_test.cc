// tokenizer.json files that are wrong: an Error that says where, never a crash.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "kobolt/error.h"
#include "kobolt/tokenizer.h"
#include "tokenizer/test_files.h"

namespace kobolt {
namespace {

using testing::HasSubstr;

// A sound file to spoil.
nlohmann::json sound() {
  return nlohmann::json::parse(R"({
    "version": "1.0", "added_tokens": [],
    "model": {"type": "BPE", "unk_token": "<unk>", "vocab": {"<unk>": 0, "a": 1, "b": 2, "ab": 3},
              "merges": [["a", "b"]]}})");
}

struct Wrong {
  const char* path;   // JSON pointer of what is replaced
  const char* value;  // by this JSON
  ErrorKind kind;
  const char* field;  // where the error says the fault is
};

class WrongJson : public testing::TestWithParam<Wrong> {};

TEST_P(WrongJson, IsRefusedWithItsField) {
  const Wrong& wrong = GetParam();
  nlohmann::json json = sound();
  json[nlohmann::json::json_pointer(wrong.path)] = nlohmann::json::parse(wrong.value);
  try {
    from_json(json.dump());
    FAIL() << json.dump();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), wrong.kind) << error.what();
    EXPECT_EQ(error.detail().field, wrong.field) << error.what();
    EXPECT_EQ(error.detail().file, "tokenizer.json");
  }
}

INSTANTIATE_TEST_SUITE_P(
    All, WrongJson,
    testing::Values(
        Wrong{"/version", "\"2.0\"", ErrorKind::unsupported, "version"},
        Wrong{"/version", "1", ErrorKind::corrupt, "version"},
        Wrong{"/model", "[]", ErrorKind::corrupt, "model"},
        Wrong{"/model/type", "\"Neural\"", ErrorKind::unsupported, "model.type"},
        Wrong{"/model/type", "\"Unigram\"", ErrorKind::corrupt, "model.vocab"},
        Wrong{"/model/vocab", "[]", ErrorKind::corrupt, "model.vocab"},
        Wrong{"/model/vocab/a", "-1", ErrorKind::corrupt, "model.vocab[\"a\"]"},
        Wrong{"/model/vocab/a", "4294967296", ErrorKind::corrupt, "model.vocab[\"a\"]"},
        Wrong{"/model/vocab/a", "18446744073709551615", ErrorKind::corrupt, "model.vocab[\"a\"]"},
        Wrong{"/model/vocab/a", "1.5", ErrorKind::corrupt, "model.vocab[\"a\"]"},
        Wrong{"/model/vocab/a", "\"1\"", ErrorKind::corrupt, "model.vocab[\"a\"]"},
        Wrong{"/model/vocab/b", "1", ErrorKind::corrupt, "model.vocab[\"b\"]"},
        Wrong{"/model/merges", "{}", ErrorKind::corrupt, "model.merges"},
        Wrong{"/model/merges/0", "[\"a\", \"x\"]", ErrorKind::corrupt, "model.merges[0]"},
        Wrong{"/model/merges/0", "[\"b\", \"a\"]", ErrorKind::corrupt, "model.merges[0]"},
        Wrong{"/model/merges/0", "[\"a\"]", ErrorKind::corrupt, "model.merges[0]"},
        Wrong{"/model/merges/0", "[\"a\", 1]", ErrorKind::corrupt, "model.merges[0]"},
        Wrong{"/model/merges/0", "\"ab\"", ErrorKind::corrupt, "model.merges[0]"},
        Wrong{"/model/merges/0", "\"a b c\"", ErrorKind::corrupt, "model.merges[0]"},
        Wrong{"/model/merges/0", "7", ErrorKind::corrupt, "model.merges[0]"},
        Wrong{"/model/dropout", "0.1", ErrorKind::unsupported, "model.dropout"},
        Wrong{"/model/byte_fallback", "1", ErrorKind::corrupt, "model.byte_fallback"},
        Wrong{"/added_tokens", "{}", ErrorKind::corrupt, "added_tokens"},
        Wrong{"/added_tokens/0", "{\"id\": 9}", ErrorKind::corrupt, "added_tokens[0].content"},
        Wrong{"/added_tokens/0", "{\"id\": 9, \"content\": \"x\", \"special\": 1}",
              ErrorKind::corrupt, "added_tokens[0].special"},
        Wrong{"/normalizer", "{}", ErrorKind::corrupt, "normalizer.type"},
        Wrong{"/normalizer", "{\"type\": \"Rot13\"}", ErrorKind::unsupported, "normalizer.type"},
        Wrong{"/normalizer",
              "{\"type\": \"Sequence\", \"normalizers\": [{\"type\": \"NFC\"}, {\"type\": 3}]}",
              ErrorKind::corrupt, "normalizer.normalizers[1].type"},
        Wrong{"/normalizer",
              "{\"type\": \"Replace\", \"pattern\": {\"Regex\": \"(\"}, \"content\": \"\"}",
              ErrorKind::corrupt, "normalizer.pattern.Regex"},
        Wrong{"/normalizer",
              "{\"type\": \"Replace\", \"pattern\": {\"Regex\": \"[a&&b]\"}, \"content\": \"\"}",
              ErrorKind::unsupported, "normalizer.pattern.Regex"},
        Wrong{"/normalizer", "{\"type\": \"Replace\", \"pattern\": {}, \"content\": \"\"}",
              ErrorKind::unsupported, "normalizer.pattern"},
        Wrong{"/normalizer", "{\"type\": \"Precompiled\", \"precompiled_charsmap\": \"!\"}",
              ErrorKind::corrupt, "normalizer.precompiled_charsmap"},
        Wrong{"/normalizer", "{\"type\": \"Precompiled\", \"precompiled_charsmap\": \"////fw==\"}",
              ErrorKind::corrupt, "normalizer.precompiled_charsmap"},
        Wrong{"/pre_tokenizer", "{\"type\": \"Scissors\"}", ErrorKind::unsupported,
              "pre_tokenizer.type"},
        Wrong{"/pre_tokenizer", "{\"type\": \"Metaspace\", \"replacement\": \"__\"}",
              ErrorKind::corrupt, "pre_tokenizer.replacement"},
        Wrong{"/pre_tokenizer",
              "{\"type\": \"Metaspace\", \"replacement\": \"_\", \"prepend_scheme\": \"last\"}",
              ErrorKind::unsupported, "pre_tokenizer.prepend_scheme"},
        Wrong{"/pre_tokenizer",
              "{\"type\": \"Split\", \"pattern\": {\"String\": \"a\"}, \"behavior\": \"Eaten\"}",
              ErrorKind::unsupported, "pre_tokenizer.behavior"},
        Wrong{"/pre_tokenizer", "{\"type\": \"FixedLength\", \"length\": 0}", ErrorKind::corrupt,
              "pre_tokenizer.length"},
        Wrong{"/decoder", "{\"type\": \"Oracle\"}", ErrorKind::unsupported, "decoder.type"},
        Wrong{"/decoder", "{\"type\": \"Strip\", \"content\": \" \", \"start\": -1, \"stop\": 0}",
              ErrorKind::corrupt, "decoder.start"},
        Wrong{"/post_processor", "{\"type\": \"Blender\"}", ErrorKind::unsupported,
              "post_processor.type"},
        Wrong{"/post_processor",
              "{\"type\": \"BertProcessing\", \"sep\": [\"x\"], \"cls\": [\"y\", 1]}",
              ErrorKind::corrupt, "post_processor.sep"},
        Wrong{
            "/post_processor",
            "{\"type\": \"TemplateProcessing\", \"single\": [{\"SpecialToken\": {\"id\": \"x\"}}],"
            " \"special_tokens\": {}}",
            ErrorKind::corrupt, "post_processor.special_tokens.x"},
        Wrong{"/truncation", "{\"max_length\": -1}", ErrorKind::corrupt, "truncation.max_length"},
        Wrong{"/truncation", "{\"max_length\": 4, \"direction\": \"Up\"}", ErrorKind::unsupported,
              "truncation.direction"}),
    [](const testing::TestParamInfo<Wrong>& wrong) {
      std::string name = std::to_string(wrong.index) + wrong.param.path;
      for (char& c : name) {
        if (std::isalnum(static_cast<unsigned char>(c)) == 0) c = '_';
      }
      return name;
    });

TEST(JsonErrors, SoundFileLoads) { EXPECT_EQ(from_json(sound().dump()).vocab_size(), 4); }

TEST(JsonErrors, NoJsonAtAll) {
  for (const char* bytes : {"", "{", "[1, 2", "null", "\xff\xfe", "{\"model\": \"\xff\"}", "{} x",
                            "{\"model\": {\"type\": \"\\ud800\"}}"}) {
    EXPECT_THROW(from_json(bytes), Error) << bytes;
  }
}

TEST(JsonErrors, NestingIsBounded) {
  constexpr int depth = 100'000;
  std::string arrays = std::string(depth, '[') + std::string(depth, ']');
  EXPECT_THROW(from_json(arrays), Error);
  EXPECT_THROW(from_json("{\"normalizer\": " + arrays + ", \"model\": {}}"), Error);

  std::string sequences = R"({"type": "NFC"})";
  for (int i = 0; i < 2000; ++i) {
    sequences = R"({"type": "Sequence", "normalizers": [)" + sequences + "]}";
  }
  // Put together as text: the library that prints JSON recurses, and is not what is tested here.
  nlohmann::json json = sound();
  json["normalizer"] = "@";
  std::string text = json.dump();
  text.replace(text.find("\"@\""), 3, sequences);
  EXPECT_THROW(from_json(text), Error);
}

TEST(JsonErrors, GrowthIsBounded) {
  nlohmann::json doubling = nlohmann::json::array();
  for (int i = 0; i < 200; ++i) {
    doubling.push_back({{"type", "Replace"}, {"pattern", {{"String", "a"}}}, {"content", "aa"}});
  }
  nlohmann::json normalizing = sound();
  normalizing["normalizer"] = {{"type", "Sequence"}, {"normalizers", doubling}};
  const Tokenizer normalizer = from_json(normalizing.dump());
  EXPECT_THROW(static_cast<void>(normalizer.encode("a")), Error);

  nlohmann::json decoding = sound();
  decoding["decoder"] = {{"type", "Sequence"}, {"decoders", doubling}};
  const Tokenizer decoder = from_json(decoding.dump());
  EXPECT_THROW(static_cast<void>(decoder.decode(std::vector<std::int32_t>{1})), Error);

  nlohmann::json repeating = sound();
  const nlohmann::json text = {{"Sequence", {{"id", "A"}, {"type_id", 0}}}};
  const nlohmann::json twice = {{"type", "TemplateProcessing"},
                                {"single", {text, text}},
                                {"special_tokens", nlohmann::json::object()}};
  repeating["post_processor"] = {{"type", "Sequence"},
                                 {"processors", std::vector<nlohmann::json>(60, twice)}};
  EXPECT_THROW(from_json(repeating.dump()), Error);
  repeating["post_processor"] = twice;
  EXPECT_EQ(from_json(repeating.dump()).encode("ab"), (std::vector<std::int32_t>{3, 3}));
}

TEST(JsonErrors, HostileExpressionEndsInAnError) {
  nlohmann::json json = sound();
  json["pre_tokenizer"] = {{"type", "Split"},
                           {"pattern", {{"Regex", "(a|aa)+$"}}},
                           {"behavior", "Isolated"},
                           {"invert", false}};
  const Tokenizer tokenizer = from_json(json.dump());
  EXPECT_THROW(static_cast<void>(tokenizer.encode(std::string(200, 'a') + "b")), Error);
  EXPECT_EQ(tokenizer.encode("ab"), (std::vector<std::int32_t>{3}));
}

TEST(JsonErrors, LimitWithoutRoomForSpecialTokens) {
  nlohmann::json json = sound();
  json["post_processor"] = {{"type", "BertProcessing"}, {"sep", {"a", 1}}, {"cls", {"b", 2}}};
  const Tokenizer tokenizer = from_json(json.dump());
  EXPECT_EQ(tokenizer.encode("ab", {.max_length = 2}), (std::vector<std::int32_t>{2, 1}));
  try {
    static_cast<void>(tokenizer.encode("ab", {.max_length = 1}));
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::invalid_argument);
    EXPECT_THAT(error.what(), HasSubstr("at least 2"));
  }
}

TEST(JsonErrors, TextThatTheModelCannotSpell) {
  nlohmann::json json = sound();
  json["model"] = {{"type", "WordLevel"}, {"vocab", {{"a", 0}}}, {"unk_token", "<unk>"}};
  const Tokenizer tokenizer = from_json(json.dump());
  EXPECT_EQ(tokenizer.encode("a"), (std::vector<std::int32_t>{0}));
  EXPECT_THROW(static_cast<void>(tokenizer.encode("b")), Error);
}

}  // namespace
}  // namespace kobolt
