#pragma once

#include <string>
#include <vector>

namespace kobolt {

/// A part of a page.
struct PageSection {
  std::string title;
  std::string note;  ///< a sentence or two below the title; plain text
  std::string html;  ///< charts and tables of this room
  bool wide =
      false;  ///< over the page's whole width; others stand side by side where there is room
};

/// A table cell; the first column is a name.
struct PageCell {
  std::string text;
  std::string small;  ///< below the text, in small letters
  int color = -1;     ///< of the dot before a name; none below 0
  bool strong = false;
};
/// Scrolls by itself where the screen is narrower than it is. The first column is to the left,
/// the others to the right.
std::string table_html(const std::vector<std::string>& titles,
                       const std::vector<std::vector<PageCell>>& rows);

/// One HTML file that needs nothing else: no network, no script, no font of its own. It follows the
/// reader's light or dark setting and prints well. `lead` is the one sentence for those who read
/// no further, `facts` are short words below it.
std::string html_page(const std::string& title, const std::string& lead,
                      const std::vector<std::string>& facts,
                      const std::vector<PageSection>& sections, const std::string& footer);

}  // namespace kobolt
