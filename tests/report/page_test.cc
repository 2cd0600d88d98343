#include "report/page.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace kobolt {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(PageTest, NeedsNothingFromAnywhere) {
  const std::string page = html_page(
      "A <title>", "One sentence & more.", {"a fact"},
      {{.title = "Part", .note = "What it is.", .html = "<p>body</p>", .wide = true}}, "end");
  EXPECT_THAT(page, HasSubstr("A &lt;title&gt;"));
  EXPECT_THAT(page, HasSubstr("One sentence &amp; more."));
  EXPECT_THAT(page, HasSubstr("<section class='wide'><h2>Part</h2>"));
  EXPECT_THAT(page, HasSubstr("width=device-width"));
  for (const auto* outside : {"http:", "https:", "src=", "@import", "url(", "<script", "<link"}) {
    EXPECT_THAT(page, Not(HasSubstr(outside)));
  }
}

TEST(PageTest, CellsAreEscaped) {
  const std::string table =
      table_html({"a<b"}, {{{.text = "x&y", .small = "<i>", .strong = true}}});
  EXPECT_THAT(table, HasSubstr("<th>a&lt;b</th>"));
  EXPECT_THAT(table, HasSubstr("<b>x&amp;y</b><small>&lt;i&gt;</small>"));
}

}  // namespace
}  // namespace kobolt
