#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace kobolt::cli {

enum class Align { left, right };

struct Column {
  std::string title;
  Align align = Align::left;
  std::size_t max_width = 60;  ///< longer cells are cut with "…"
};

/// Text in aligned columns, measured as a terminal shows them.
class Table {
 public:
  explicit Table(std::vector<Column> columns);

  /// Missing cells stay empty; there may not be more cells than columns.
  void add_row(std::vector<std::string> cells);
  /// Title line, rule, rows; each line ends in a line break and has no trailing spaces.
  [[nodiscard]] std::string text() const;

 private:
  std::vector<Column> columns_;
  std::vector<std::vector<std::string>> rows_;
};

/// "kobolt doctor"-like listings: "name:  value" with the values aligned.
std::string key_values(const std::vector<std::pair<std::string, std::string>>& entries);

/// "417 B", "1.5 MB", "15.7 MB": powers of 1000, as disks and files are sold.
std::string format_bytes(double bytes);

}  // namespace kobolt::cli
