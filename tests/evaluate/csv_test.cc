#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "dataset_error.h"
#include "evaluate/csv_reader.h"

namespace kobolt {
namespace {

using ::testing::HasSubstr;
using Row = std::vector<std::string>;

std::vector<Row> rows(std::string_view bytes, char separator = ',') {
  CsvReader reader(bytes, separator, "data");
  std::vector<Row> all;
  Row row;
  while (reader.next(row)) all.push_back(row);
  return all;
}

TEST(CsvTest, QuotesSeparatorsAndLineEnds) {
  EXPECT_EQ(rows("a,b\r\n\"x, \"\"y\"\"\",\"two\nlines\"\n"),
            (std::vector<Row>{{"a", "b"}, {"x, \"y\"", "two\nlines"}}));
  EXPECT_EQ(rows("\"a\",\"\",\n,,\"z\""), (std::vector<Row>{{"a", "", ""}, {"", "", "z"}}));
  EXPECT_EQ(rows("a b\t\"c\td\"\te,f", '\t'), (std::vector<Row>{{"a b", "c\td", "e,f"}}));
  EXPECT_EQ(rows("it is 5\" wide,b"), (std::vector<Row>{{"it is 5\" wide", "b"}}));
}

TEST(CsvTest, EveryLineEnd) {
  const std::vector<Row> expected{{"a"}, {"b"}, {"c"}};
  EXPECT_EQ(rows("a\nb\nc"), expected);
  EXPECT_EQ(rows("a\r\nb\r\nc\r\n"), expected);
  EXPECT_EQ(rows("\n\"a\"\r\n\r\nb\n\n\"c\"\r"), expected);
}

TEST(CsvTest, LinesAreThoseOfTheFile) {
  CsvReader reader("h\n\n\"1\n2\"\nx\n", ',', "data");
  Row row;
  std::vector<std::size_t> lines;
  while (reader.next(row)) lines.push_back(reader.line());
  EXPECT_EQ(lines, (std::vector<std::size_t>{1, 3, 5}));
}

TEST(CsvTest, Examples) {
  const auto examples =
      parsed("\xEF\xBB\xBFid,summary,document\r\nx,short,\"long\nword\"\r\n", DatasetFormat::csv);
  ASSERT_EQ(examples.size(), 1U);
  EXPECT_EQ(examples[0].id, "x");
  EXPECT_EQ(examples[0].document, "long\nword");
  EXPECT_EQ(examples[0].references, Row{"short"});
  EXPECT_EQ(parsed("document\na\nb", DatasetFormat::csv)[1].id, "3");
  EXPECT_EQ(parsed("document\tid\nb\xFF\t7", DatasetFormat::tsv)[0].document, "b\uFFFD");
}

TEST(CsvTest, Mistakes) {
  Error error = dataset_error("document,id\na,1\n\"b,2\nc,3\n", DatasetFormat::csv);
  EXPECT_EQ(error.kind(), ErrorKind::corrupt);
  EXPECT_EQ(error.detail().field, "line 3");
  EXPECT_THAT(error.what(), HasSubstr("never closed"));
  error = dataset_error("document,id\n\"b\"x,2\n", DatasetFormat::csv);
  EXPECT_EQ(error.detail().field, "line 2");
  error = dataset_error("document,id\na,1\nb\n", DatasetFormat::csv);
  EXPECT_THAT(error.what(), HasSubstr("data: line 3: the row does not fit the header (found 1"));
  error = dataset_error("text,headline\na,b\n", DatasetFormat::csv);
  EXPECT_THAT(error.what(), HasSubstr("'document'"));
  EXPECT_THAT(error.what(), HasSubstr("'text', 'headline'"));
  error = dataset_error("id;document\n1;x\n", DatasetFormat::csv);
  EXPECT_THAT(error.detail().hint, HasSubstr("comma"));
  error = dataset_error("document\na\n", DatasetFormat::csv, {.need_references = true});
  EXPECT_THAT(error.what(), HasSubstr("'summary'"));
  error = dataset_error("document,id\n", DatasetFormat::csv);
  EXPECT_THAT(error.what(), HasSubstr("no documents"));
}

}  // namespace
}  // namespace kobolt
