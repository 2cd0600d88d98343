#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "kobolt/evaluate.h"

namespace kobolt {

/// Cuts RFC 4180 text into rows: quoted fields may hold the separator, line ends and doubled
/// quotes; lines end with LF or CRLF.
class CsvReader {
 public:
  CsvReader(std::string_view bytes, char separator, std::string file)
      : rest_(bytes), separator_(separator), file_(std::move(file)) {}

  /// The next row that is not a blank line; false at the end. Throws Error(corrupt) naming the
  /// line of a quote that never closes or is followed by text.
  bool next(std::vector<std::string>& row);
  /// Line on which the last row began, from 1.
  [[nodiscard]] std::size_t line() const noexcept { return row_line_; }

 private:
  std::string quoted_field();
  std::string plain_field();
  bool skip_blank_lines();

  std::string_view rest_;
  char separator_;
  std::string file_;
  std::size_t line_ = 1;
  std::size_t row_line_ = 1;
};

/// Reads a table whose first row names the fields. Throws Error(corrupt).
std::vector<Example> read_csv(std::string_view bytes, char separator, const std::string& file,
                              const DatasetOptions& options);

}  // namespace kobolt
