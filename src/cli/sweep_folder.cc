#include "cli/sweep_folder.h"

#include <fmt/format.h>

#include <fstream>
#include <iterator>
#include <system_error>
#include <utility>

#include "base/atomic_file.h"
#include "base/folder.h"
#include "kobolt/error.h"

namespace kobolt::cli {
namespace {

namespace fs = std::filesystem;

Json read_json(const fs::path& file) {
  std::ifstream stream(file, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(stream), {}};
  Json value = Json::parse(text, nullptr, false);
  if (!stream || !value.is_object()) {
    throw Error(ErrorKind::corrupt, "not a file that a sweep has written",
                {.file = file.string(), .hint = "remove it, or choose another folder (-o)"});
  }
  return value;
}

// The first difference is named; all others would only make the message longer.
void refuse_differences(const fs::path& file, const Json& there, const Json& now) {
  const auto value_of = [](const Json& options, const std::string& key) {
    return options.contains(key) ? options.at(key).dump() : "nothing";
  };
  Json all = now;
  all.update(there);
  for (const auto& [key, ignored] : all.items()) {
    if (value_of(there, key) == value_of(now, key)) continue;
    throw Error(ErrorKind::invalid_argument, "the folder holds a sweep with other options",
                {.file = file.string(),
                 .field = key,
                 .found = value_of(there, key),
                 .expected = value_of(now, key) + ", as given now",
                 .hint = "go on with the same options, or choose another folder (-o)"});
  }
}

}  // namespace

SweepFolder::SweepFolder(fs::path folder, const Json& options) : folder_(std::move(folder)) {
  const fs::path file = folder_ / "options.json";
  std::error_code error;
  if (fs::exists(file, error)) {
    refuse_differences(file, read_json(file), options);
  } else if (fs::exists(folder_, error) && !fs::is_empty(folder_, error)) {
    throw Error(ErrorKind::invalid_argument, "there is something that is no sweep",
                {.file = folder_.string(), .hint = "choose another folder (-o)"});
  }
  // Options come first, so that a folder with points always says what they are.
  make_folder(folder_);
  if (!fs::exists(file, error)) write_file(file, options.dump(2) + "\n");
  make_folder(folder_ / "points");
}

std::optional<Json> SweepFolder::point(const std::string& name) const {
  std::error_code error;
  if (!fs::exists(point_file(name), error)) return std::nullopt;
  return read_json(point_file(name));
}

void SweepFolder::store(const std::string& name, const Json& point) const {
  write_file(point_file(name), point.dump(2) + "\n");
}

}  // namespace kobolt::cli
