#include "evaluate/csv_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "evaluate/record.h"
#include "evaluate/text_repair.h"
#include "kobolt/error.h"

namespace kobolt {
namespace {

std::string joined(const std::vector<std::string>& names) {
  std::string text;
  for (const auto& name : names) {
    if (!text.empty()) text += ", ";
    text += '\'' + excerpt(name, 40) + '\'';
    if (text.size() > 400) return text + ", ...";
  }
  return text;
}

// A header without the wanted field: the reader most often chose the wrong separator or name.
void check_header(const std::vector<std::string>& header, const std::string& file, char separator,
                  const std::string& field, const char* flag) {
  if (std::find(header.begin(), header.end(), field) != header.end()) return;
  const bool other_separator =
      header.size() == 1 && header[0].find_first_of(";\t,|") != std::string::npos;
  throw Error(ErrorKind::corrupt, fmt::format("the column '{}' is missing", field),
              {.file = file,
               .field = "line 1",
               .found = "the columns " + joined(header),
               .hint = other_separator
                           ? fmt::format("columns are separated by a {} here; save the file so",
                                         separator == ',' ? "comma" : "tab")
                           : fmt::format("the first row names the columns; choose with {}", flag)});
}

}  // namespace

std::string CsvReader::quoted_field() {
  const std::size_t opened = line_;
  std::string field;
  rest_.remove_prefix(1);
  while (true) {
    const std::size_t quote = rest_.find('"');
    if (quote == std::string_view::npos) {
      throw Error(ErrorKind::corrupt, "a quote is never closed",
                  {.file = file_,
                   .field = fmt::format("line {}", opened),
                   .found = fmt::format("\"{}", excerpt(field.empty() ? rest_ : field, 40)),
                   .hint = "a quote inside a quoted field is written twice"});
    }
    const std::string_view part = rest_.substr(0, quote);
    line_ += static_cast<std::size_t>(std::count(part.begin(), part.end(), '\n'));
    field += part;
    rest_.remove_prefix(quote + 1);
    if (rest_.empty() || rest_[0] != '"') break;
    field += '"';
    rest_.remove_prefix(1);
  }
  const bool ends = rest_.empty() || rest_[0] == separator_ || rest_[0] == '\n' ||
                    rest_.substr(0, 2) == "\r\n" || rest_ == "\r";
  if (!ends) {
    throw Error(ErrorKind::corrupt, "text follows a closing quote",
                {.file = file_,
                 .field = fmt::format("line {}", line_),
                 .found = fmt::format("'{}'", excerpt(rest_.substr(0, rest_.find('\n')), 40)),
                 .hint = "a quote inside a quoted field is written twice"});
  }
  return field;
}

std::string CsvReader::plain_field() {
  const std::size_t end =
      std::min(rest_.find_first_of(separator_ == ',' ? ",\n" : "\t\n"), rest_.size());
  std::string_view field = rest_.substr(0, end);
  rest_.remove_prefix(end);
  const bool line_ends = rest_.empty() || rest_[0] == '\n';
  if (line_ends && field.ends_with('\r')) field.remove_suffix(1);
  return std::string(field);
}

bool CsvReader::skip_blank_lines() {
  while (!rest_.empty()) {
    const std::size_t skip = rest_[0] == '\n' ? 1 : rest_.substr(0, 2) == "\r\n" ? 2 : 0;
    if (skip == 0) return true;
    rest_.remove_prefix(skip);
    ++line_;
  }
  return false;
}

bool CsvReader::next(std::vector<std::string>& row) {
  row.clear();
  if (!skip_blank_lines()) return false;
  row_line_ = line_;
  while (true) {
    row.push_back(!rest_.empty() && rest_[0] == '"' ? quoted_field() : plain_field());
    if (rest_.empty()) return true;
    const char after = rest_[0];
    rest_.remove_prefix(1);
    if (after == separator_) continue;
    if (after == '\r' && !rest_.empty()) rest_.remove_prefix(1);  // the LF of a CRLF
    ++line_;
    return true;
  }
}

std::vector<Example> read_csv(std::string_view bytes, char separator, const std::string& file,
                              const DatasetOptions& options) {
  std::string storage;
  CsvReader reader(repaired_utf8(bytes, storage), separator, file);
  std::vector<Example> examples;
  std::vector<std::string> header;
  if (!reader.next(header)) return examples;
  if (options.need_document) {
    check_header(header, file, separator, options.document_field, "--document-field");
  }
  if (options.need_references) {
    check_header(header, file, separator, options.summary_field, "--summary-field");
  }
  std::vector<std::string> row;
  while (reader.next(row)) {
    Record record;
    record.number = reader.line();
    record.place = fmt::format("line {}", record.number);
    if (row.size() != header.size()) {
      throw Error(ErrorKind::corrupt, "the row does not fit the header",
                  {.file = file,
                   .field = record.place,
                   .found = fmt::format("{} fields", row.size()),
                   .expected = std::to_string(header.size()),
                   .hint = "a field that holds the separator, a quote or a line end is quoted"});
    }
    for (std::size_t i = 0; i < header.size(); ++i) {
      record.add_name(header[i]);
      if (!is_wanted(header[i], options)) continue;
      record.values[header[i]] = {.kind = FieldValue::Kind::text, .text = std::move(row[i])};
    }
    examples.push_back(to_example(std::move(record), file, options));
  }
  return examples;
}

}  // namespace kobolt
