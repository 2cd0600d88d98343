#include "evaluate/dataset.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <optional>

#include "base/mapped_file.h"
#include "evaluate/csv_reader.h"
#include "evaluate/json_records.h"
#include "evaluate/text_repair.h"
#include "kobolt/error.h"

namespace kobolt {
namespace {

// A pipe has no size to look at beforehand; this keeps /dev/zero from eating the memory.
constexpr std::size_t kLongestStream = std::size_t{4} << 30U;

[[noreturn]] void fail(const std::string& name, const char* action) {
  const int code = errno;
  throw Error(code == ENOENT || code == ENOTDIR ? ErrorKind::not_found : ErrorKind::io,
              fmt::format("{}: {}", action, std::strerror(code)), {.file = name});
}

std::string read_stream(int descriptor, const std::string& name) {
  std::string bytes;
  std::array<char, 1U << 16U> buffer{};
  while (true) {
    const ssize_t count = ::read(descriptor, buffer.data(), buffer.size());
    if (count == 0) return bytes;
    if (count < 0) {
      if (errno == EINTR) continue;
      fail(name, "cannot read");
    }
    bytes.append(buffer.data(), static_cast<std::size_t>(count));
    if (bytes.size() > kLongestStream) {
      throw Error(ErrorKind::unsupported, "the stream does not end",
                  {.file = name,
                   .expected = fmt::format("at most {} bytes", kLongestStream),
                   .hint = "write it to a file first"});
    }
  }
}

// Files that are something else altogether, told by how they begin.
void refuse_other_files(std::string_view bytes, const std::string& file) {
  struct Known {
    std::string_view magic;
    const char* what;
    const char* hint;
  };
  using namespace std::string_view_literals;
  static constexpr std::array kKnown{
      Known{"\x1F\x8B"sv, "a gzip file", "unpack it first: gunzip -k FILE"},
      Known{"PK\x03\x04"sv, "a zip file or spreadsheet", "unpack it, or save it as CSV"},
      Known{"PAR1"sv, "a Parquet file", "save it as JSON lines or CSV"},
      Known{"\xFF\xFE"sv, "UTF-16 text", "convert it: iconv -f UTF-16 -t UTF-8"},
      Known{"\xFE\xFF"sv, "UTF-16 text", "convert it: iconv -f UTF-16 -t UTF-8"}};
  for (const Known& known : kKnown) {
    if (!bytes.starts_with(known.magic)) continue;
    throw Error(ErrorKind::unsupported, "not a data set that can be read",
                {.file = file,
                 .found = known.what,
                 .expected = "JSON lines, a JSON list, CSV, TSV or text, in UTF-8",
                 .hint = known.hint});
  }
}

std::vector<Example> read_text(std::string_view bytes, const std::string& file,
                               const DatasetOptions& options) {
  if (options.need_references) {
    throw Error(ErrorKind::invalid_argument, "plain text holds no references to compare with",
                {.file = file,
                 .expected = fmt::format("JSON lines, a JSON list, CSV or TSV with a field '{}'",
                                         options.summary_field)});
  }
  std::vector<Example> examples;
  std::size_t number = 0;
  while (!bytes.empty()) {
    const std::size_t end = std::min(bytes.find('\n'), bytes.size());
    std::string_view line = bytes.substr(0, end);
    bytes.remove_prefix(std::min(end + 1, bytes.size()));
    ++number;
    if (line.ends_with('\r')) line.remove_suffix(1);
    const bool blank = line.find_first_not_of(" \t\r\f\v") == std::string_view::npos;
    if (blank && !options.blank_lines) continue;
    std::string storage;
    examples.push_back({.id = std::to_string(number),
                        .document = std::string(repaired_utf8(line, storage)),
                        .numbered = true});
  }
  return examples;
}

std::string lower_extension(const std::filesystem::path& file) {
  std::string extension = file.extension().string();
  for (char& c : extension) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return extension;
}

std::string_view without_bom(std::string_view bytes) {
  if (bytes.starts_with("\xEF\xBB\xBF")) bytes.remove_prefix(3);
  return bytes;
}

bool starts_with_brace(std::string_view bytes) {
  const std::size_t first = without_bom(bytes).find_first_not_of(" \t\r\n");
  return first != std::string_view::npos && without_bom(bytes)[first] == '{';
}

}  // namespace

DatasetFormat dataset_format(const std::filesystem::path& file, std::string_view bytes) {
  const std::string extension = lower_extension(file);
  if (extension == ".jsonl" || extension == ".ndjson") return DatasetFormat::json_lines;
  if (extension == ".csv") return DatasetFormat::csv;
  if (extension == ".tsv") return DatasetFormat::tsv;
  if (extension == ".json") {
    return starts_with_brace(bytes) ? DatasetFormat::json_lines : DatasetFormat::json_list;
  }
  if (extension.empty() && starts_with_brace(bytes)) return DatasetFormat::json_lines;
  return DatasetFormat::text;
}

std::vector<Example> parse_dataset(std::string_view bytes, DatasetFormat format,
                                   const std::string& file, const DatasetOptions& options) {
  refuse_other_files(bytes, file);
  bytes = without_bom(bytes);
  std::vector<Example> examples;
  if (bytes.find_first_not_of(" \t\r\n") != std::string_view::npos) {
    switch (format) {
      case DatasetFormat::json_lines:
        examples = read_json_lines(bytes, file, options);
        break;
      case DatasetFormat::json_list:
        examples = read_json_list(bytes, file, options);
        break;
      case DatasetFormat::csv:
        examples = read_csv(bytes, ',', file, options);
        break;
      case DatasetFormat::tsv:
        examples = read_csv(bytes, '\t', file, options);
        break;
      case DatasetFormat::text:
        examples = read_text(bytes, file, options);
        break;
    }
  }
  if (examples.empty()) {
    throw Error(ErrorKind::corrupt, "there are no documents in it",
                {.file = file, .found = fmt::format("{} bytes", bytes.size())});
  }
  return examples;
}

std::vector<Example> read_dataset(const std::filesystem::path& file,
                                  const DatasetOptions& options) {
  if (file == "-") {
    const std::string name = "standard input";
    const std::string bytes = read_stream(STDIN_FILENO, name);
    return parse_dataset(bytes, dataset_format({}, bytes), name, options);
  }
  const std::string name = file.string();
  struct stat status {};
  if (::stat(file.c_str(), &status) == 0 && (S_ISFIFO(status.st_mode) || S_ISCHR(status.st_mode))) {
    const int descriptor = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
    if (descriptor < 0) fail(name, "cannot open");
    struct Closer {
      int descriptor;
      ~Closer() { ::close(descriptor); }
    } const closer{descriptor};
    const std::string bytes = read_stream(descriptor, name);
    return parse_dataset(bytes, dataset_format(file, bytes), name, options);
  }
  const auto mapped = MappedFile::open(file);
  const std::string_view bytes(reinterpret_cast<const char*>(mapped->bytes().data()),
                               mapped->bytes().size());
  return parse_dataset(bytes, dataset_format(file, bytes), name, options);
}

}  // namespace kobolt
