#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "dataset_error.h"

namespace kobolt {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using Texts = std::vector<std::string>;

constexpr auto kLines = DatasetFormat::json_lines;
constexpr auto kList = DatasetFormat::json_list;

TEST(JsonLinesTest, FieldsIdsAndReferences) {
  const auto examples = parsed(
      "\xEF\xBB\xBF{\"id\": \"a\", \"document\": \"d1\", \"summary\": \"s1\", \"more\": {\"x\": "
      "[1]}}\r\n"
      "\n"
      "{\"id\": 17, \"document\": \"d2\", \"summary\": [\"s2\", \"s3\"]}\n"
      "{\"document\": \"\\uD55C\\uae00\", \"summary\": null}",
      kLines);
  ASSERT_EQ(examples.size(), 3U);
  EXPECT_EQ(examples[0].id, "a");
  EXPECT_EQ(examples[0].document, "d1");
  EXPECT_EQ(examples[0].references, Texts{"s1"});
  EXPECT_EQ(examples[1].id, "17");
  EXPECT_EQ(examples[1].references, (Texts{"s2", "s3"}));
  EXPECT_EQ(examples[2].id, "4");
  EXPECT_EQ(examples[2].document, "한글");
  EXPECT_TRUE(examples[2].references.empty());
}

TEST(JsonLinesTest, OtherFieldNames) {
  const auto examples =
      parsed("{\"key\": -3, \"text\": \"d\", \"headline\": \"s\", \"document\": 5}", kLines,
             {.document_field = "text", .summary_field = "headline", .id_field = "key"});
  EXPECT_EQ(examples[0].id, "-3");
  EXPECT_EQ(examples[0].document, "d");
  EXPECT_EQ(examples[0].references, Texts{"s"});
  // One field may have two roles.
  EXPECT_EQ(
      parsed("{\"text\": \"t\"}", kLines, {.document_field = "text", .summary_field = "text"})[0]
          .references,
      Texts{"t"});
}

TEST(JsonLinesTest, HugeNumbersStayAsWritten) {
  EXPECT_EQ(parsed("{\"id\": 123456789012345678901234567890, \"document\": \"d\"}", kLines)[0].id,
            "123456789012345678901234567890");
}

TEST(JsonLinesTest, BadBytesAndSurrogatesAreReplaced) {
  EXPECT_EQ(parsed("{\"document\": \"a\xFFz\"}", kLines)[0].document, "a\uFFFDz");
  EXPECT_EQ(parsed("{\"document\": \"a\\ud83dz\\udE00\\\\ud800\"}", kLines)[0].document,
            "a\uFFFDz\uFFFD\\ud800");
  EXPECT_EQ(parsed("{\"document\": \"\\ud83d\\ude00\"}", kLines)[0].document, "😀");
}

TEST(JsonLinesTest, VeryLongLines) {
  const std::string text(5'000'000, 'x');
  EXPECT_EQ(parsed("{\"document\": \"" + text + "\"}", kLines)[0].document, text);
}

TEST(JsonLinesTest, BrokenLines) {
  const Error error = dataset_error("{\"document\": \"a\"}\n{\"document\": \"b\n", kLines);
  EXPECT_EQ(error.kind(), ErrorKind::corrupt);
  EXPECT_EQ(error.detail().file, "data");
  EXPECT_EQ(error.detail().field, "line 2");
  EXPECT_FALSE(error.detail().hint.empty());
  for (const char* line :
       {"{", "{}}", "{\"a\":}", "{'document': 'x'}", "nonsense", "{\"a\": tru}",
        "{\"document\": \"a\"} {\"document\": \"b\"}", "\xFF", "{\"a\": 1e999}"}) {
    EXPECT_EQ(dataset_error(line, kLines).detail().field, "line 1") << line;
  }
}

TEST(JsonLinesTest, ErrorsShowAnExcerptOnly) {
  const std::string long_line = "{\"document\": \"" + std::string(1'000'000, 'x');
  EXPECT_LT(std::string(dataset_error(long_line, kLines).what()).size(), 600U);
}

TEST(JsonLinesTest, MissingFieldsListWhatIsThere) {
  EXPECT_THAT(dataset_error("{\"text\": \"a\", \"title\": 1}", kLines).what(),
              AllOf(HasSubstr("data: line 1: the field 'document' is missing"),
                    HasSubstr("'text', 'title'"), HasSubstr("--document-field")));
  EXPECT_THAT(dataset_error("{\"document\": \"a\"}", kLines, {.need_references = true}).what(),
              HasSubstr("'summary'"));
  EXPECT_THAT(dataset_error("{}", kLines).what(), HasSubstr("no fields"));
  EXPECT_EQ(parsed("{\"summary\": \"s\"}", kLines, {.need_document = false}).size(), 1U);
  std::string many = "{";
  for (int i = 0; i < 1000; ++i) many += "\"f" + std::to_string(i) + "\": 1,";
  many += "\"x\": 1}";
  EXPECT_THAT(dataset_error(many, kLines).what(), HasSubstr("and 981 more"));
}

TEST(JsonLinesTest, WrongTypesSayWhatWasFound) {
  const auto found = [](const char* line) { return dataset_error(line, kLines).detail().found; };
  EXPECT_EQ(found("{\"document\": 5}"), "a number");
  EXPECT_EQ(found("{\"document\": {\"a\": \"b\"}}"), "an object");
  EXPECT_EQ(found("{\"document\": [\"a\"]}"), "a list");
  EXPECT_EQ(found("{\"document\": \"a\", \"summary\": [\"a\", 1]}"), "a list that holds a number");
  EXPECT_EQ(found("{\"document\": \"a\", \"summary\": [\"a\", [\"b\"]]}"),
            "a list that holds a list");
  EXPECT_EQ(found("{\"document\": \"a\", \"summary\": [{}, \"a\"]}"),
            "a list that holds an object");
  EXPECT_EQ(found("{\"document\": \"a\", \"id\": true}"), "a boolean");
  EXPECT_EQ(found("[1]"), "a list");
  EXPECT_EQ(found("\"text\""), "a string");
}

TEST(JsonLinesTest, DeepNestingIsRefusedWithoutRecursion) {
  const std::string deep = "{\"a\": " + std::string(1'000'000, '[');
  EXPECT_THAT(dataset_error(deep, kLines).what(), HasSubstr("nested too deeply"));
  EXPECT_EQ(parsed("{\"a\": [[[[[{\"b\": [[]]}]]]]], \"document\": \"x\"}", kLines).size(), 1U);
}

TEST(JsonListTest, ListOfObjects) {
  const auto examples =
      parsed("[{\"document\": \"a\"},\n {\"document\": \"b\", \"id\": \"x\"}]", kList);
  ASSERT_EQ(examples.size(), 2U);
  EXPECT_EQ(examples[0].id, "1");
  EXPECT_EQ(examples[1].document, "b");
  EXPECT_EQ(examples[1].id, "x");
}

TEST(JsonListTest, Mistakes) {
  EXPECT_EQ(dataset_error("[{\"document\": \"a\"}, 7]", kList).detail().field, "item 2");
  EXPECT_EQ(dataset_error("[{\"document\": \"a\"}, {}]", kList).detail().field, "item 2");
  EXPECT_EQ(dataset_error("\"a\"", kList).detail().expected, "a list of objects");
  EXPECT_EQ(dataset_error("[{\"document\": \"a\"}, ", kList).detail().field, "after item 1");
  EXPECT_EQ(dataset_error("[{\"document\": \"a\"}] x", kList).kind(), ErrorKind::corrupt);
  EXPECT_THAT(dataset_error("[]", kList).what(), HasSubstr("no documents"));
  EXPECT_EQ(dataset_error(std::string(1'000'000, '['), kList).kind(), ErrorKind::corrupt);
}

}  // namespace
}  // namespace kobolt
