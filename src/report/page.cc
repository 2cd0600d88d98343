#include "report/page.h"

#include <fmt/format.h>

#include <cassert>

#include "report/page_style.h"
#include "report/svg.h"

namespace kobolt {
namespace {

std::string cell_html(const PageCell& cell) {
  std::string html;
  if (cell.color >= 0) html += fmt::format("<i style='background:var(--s{})'></i>", cell.color);
  html += cell.strong ? "<b>" + escape_html(cell.text) + "</b>" : escape_html(cell.text);
  if (!cell.small.empty()) html += "<small>" + escape_html(cell.small) + "</small>";
  return html;
}

std::string section_html(const PageSection& section) {
  return fmt::format("<section{}><h2>{}</h2><p>{}</p>\n{}</section>\n",
                     section.wide ? " class='wide'" : "", escape_html(section.title),
                     escape_html(section.note), section.html);
}

}  // namespace

std::string table_html(const std::vector<std::string>& titles,
                       const std::vector<std::vector<PageCell>>& rows) {
  std::string html = "<div class='scroll'><table><thead><tr>";
  for (const std::string& title : titles) html += "<th>" + escape_html(title) + "</th>";
  html += "</tr></thead><tbody>\n";
  for (const auto& row : rows) {
    assert(row.size() == titles.size());
    html += "<tr>";
    for (const PageCell& cell : row) html += "<td>" + cell_html(cell) + "</td>";
    html += "</tr>\n";
  }
  return html + "</tbody></table></div>\n";
}

std::string html_page(const std::string& title, const std::string& lead,
                      const std::vector<std::string>& facts,
                      const std::vector<PageSection>& sections, const std::string& footer) {
  std::string html = fmt::format(
      "<!doctype html>\n<html lang='en'><head><meta charset='utf-8'>"
      "<meta name='viewport' content='width=device-width,initial-scale=1'>"
      "<title>{0}</title><style>{1}</style></head>\n"
      "<body><main><header><p class='kind'>{0}</p><h1>{2}</h1><ul class='facts'>",
      escape_html(title), kPageStyle, escape_html(lead));
  for (const std::string& fact : facts) html += "<li>" + escape_html(fact) + "</li>";
  html += "</ul></header>\n<div class='grid'>\n";
  for (const PageSection& section : sections) html += section_html(section);
  return html + "</div>\n<footer>" + escape_html(footer) + "</footer></main></body></html>\n";
}

}  // namespace kobolt
