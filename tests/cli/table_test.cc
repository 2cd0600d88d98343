#include "cli/table.h"

#include <gtest/gtest.h>

#include "cli/text_width.h"

namespace kobolt::cli {
namespace {

TEST(TextWidth, CountsTerminalColumns) {
  EXPECT_EQ(display_width("abc"), 3U);
  EXPECT_EQ(display_width("요약"), 4U);
  // The same two syllables, decomposed into letters.
  EXPECT_EQ(display_width("\u110B\u116D\u110B\u1163\u11A8"), 4U);
  EXPECT_EQ(display_width("e\u0301"), 1U);
  EXPECT_EQ(display_width("😀"), 2U);
  EXPECT_EQ(display_width("👩‍👩‍👧"), 2U);
  EXPECT_EQ(display_width("\xFF"), 1U);
  EXPECT_EQ(display_width(""), 0U);
}

TEST(TextWidth, CutsBetweenClusters) {
  EXPECT_EQ(fit_to_width("summary", 7), "summary");
  EXPECT_EQ(fit_to_width("summary", 4), "sum…");
  EXPECT_EQ(fit_to_width("요약문", 6), "요약문");
  EXPECT_EQ(fit_to_width("요약문", 5), "요약…");
  EXPECT_EQ(fit_to_width("요약문", 4), "요…");
  EXPECT_EQ(fit_to_width("ab", 1), "…");
  EXPECT_EQ(fit_to_width("ab", 0), "");
}

TEST(TextWidth, MakesCellsHarmless) {
  EXPECT_EQ(fit_to_width("a\nb\tc", 10), "a b c");
  EXPECT_EQ(fit_to_width("a\x1b[31mb", 10), "a [31mb");
  EXPECT_EQ(fit_to_width("a\xFF", 10), "a\uFFFD");
}

TEST(Table, AlignsWideCharacters) {
  Table table({{.title = "name"}, {.title = "n", .align = Align::right}, {.title = "text"}});
  table.add_row({"요약", "10", "x"});
  table.add_row({"abcde", "7"});
  EXPECT_EQ(table.text(),
            "name    n  text\n"
            "-----  --  ----\n"
            "요약   10  x\n"
            "abcde   7\n");
}

TEST(Table, CutsLongCells) {
  Table table({{.title = "t", .max_width = 4}});
  table.add_row({"abcdefgh"});
  EXPECT_EQ(table.text(), "t\n----\nabc…\n");
}

TEST(Table, KeepsEmptyColumnsApart) {
  Table table({{.title = ""}, {.title = "b"}});
  table.add_row({"", "x"});
  EXPECT_EQ(table.text(), "  b\n  -\n  x\n");
}

TEST(Table, AlignsKeyValues) {
  EXPECT_EQ(key_values({{"a", "1"}, {"long", "2"}}), "a     1\nlong  2\n");
}

TEST(Table, FormatsBytes) {
  EXPECT_EQ(format_bytes(0), "0 B");
  EXPECT_EQ(format_bytes(999), "999 B");
  EXPECT_EQ(format_bytes(1000), "1.0 kB");
  EXPECT_EQ(format_bytes(999'960), "1.0 MB");
  EXPECT_EQ(format_bytes(15'714'520), "15.7 MB");
}

}  // namespace
}  // namespace kobolt::cli
