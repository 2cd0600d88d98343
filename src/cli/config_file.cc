#include "cli/config_file.h"

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <iterator>
#include <set>
#include <utility>

#include "cli/closest.h"
#include "kobolt/error.h"

namespace kobolt::cli {
namespace {

// More than any sensible list of options; a hostile file is not read to its end.
constexpr std::size_t kLargestFile = 1U << 20U;

std::string read_limited(std::istream& input, const std::string& file) {
  std::string text;
  char buffer[4096];
  while (input.read(buffer, sizeof buffer) || input.gcount() > 0) {
    text.append(buffer, static_cast<std::size_t>(input.gcount()));
    if (text.size() > kLargestFile) {
      throw Error(ErrorKind::unsupported, "too large for a configuration file",
                  {.file = file, .expected = "at most 1 MiB"});
    }
  }
  return text;
}

YAML::Node parse(std::istream& input, const std::string& file) {
  try {
    return YAML::Load(read_limited(input, file));
  } catch (const YAML::Exception& error) {
    const std::string line =
        error.mark.is_null() ? "" : fmt::format("line {}", error.mark.line + 1);
    throw Error(ErrorKind::corrupt, "not valid YAML: " + error.msg, {.file = file, .field = line});
  }
}

// One mapping of the file, with what was wrong told in terms of file and key.
class Section {
 public:
  Section(const std::string& file, std::string name) : file_(file), name_(std::move(name)) {}

  [[noreturn]] void fail(const std::string& key, const std::string& message) const {
    const std::string path = name_.empty() ? key : name_ + "." + key;
    throw CLI::ConfigError(fmt::format("{}: {}: {}", file_, path, message));
  }

  std::string key_of(const YAML::Node& node) {
    if (!node.IsScalar()) fail("", "keys must be names of options");
    std::string key = node.Scalar();
    std::replace(key.begin(), key.end(), '_', '-');
    if (!seen_.insert(key).second) fail(key, "given twice");
    return key;
  }

  [[nodiscard]] std::vector<std::string> values_of(const std::string& key,
                                                   const YAML::Node& node) const {
    if (node.IsScalar()) return {node.Scalar()};
    std::vector<std::string> values;
    if (node.IsSequence()) {
      for (const YAML::Node& element : node) {
        if (!element.IsScalar()) fail(key, "a list may hold only plain values");
        values.push_back(element.Scalar());
      }
    }
    if (values.empty()) fail(key, "needs a value or a list of values");
    return values;
  }

 private:
  const std::string& file_;
  std::string name_;
  std::set<std::string> seen_;
};

bool has_option(const CLI::App& app, const std::string& key) {
  const auto options = app.get_options();
  return std::any_of(options.begin(), options.end(), [&key](const CLI::Option* option) {
    return option->check_lname(key) || option->get_name(true) == key;
  });
}

void collect_keys(const CLI::App& app, std::vector<std::string>& keys) {
  for (const CLI::Option* option : app.get_options()) {
    if (!option->get_configurable()) continue;
    for (const std::string& name : option->get_lnames()) keys.push_back(name);
  }
}

// Turns the file into what CLI11 takes. Everything is checked, also what belongs to commands that
// were not asked for; only what matters to the chosen command is handed on.
class Reader {
 public:
  Reader(const CLI::App& app, const std::string& file) : app_(app), file_(file) {}

  std::vector<CLI::ConfigItem> read(const YAML::Node& root) {
    if (root.IsNull()) return {};
    Section top(file_, "");
    if (!root.IsMap()) top.fail("top level", "must be a mapping of options to values");
    for (const auto& entry : root) {
      const std::string key = top.key_of(entry.first);
      if (const CLI::App* command = find_command(key)) {
        read_section(top, *command, entry.second);
      } else {
        read_shared(top, key, entry.second);
      }
    }
    return std::move(items_);
  }

 private:
  [[nodiscard]] const CLI::App* find_command(const std::string& name) const {
    for (const CLI::App* command : app_.get_subcommands({})) {
      if (command->get_name() == name) return command;
    }
    return nullptr;
  }

  [[nodiscard]] bool is_chosen(const CLI::App& command) const {
    const auto chosen = app_.get_subcommands();
    return std::find(chosen.begin(), chosen.end(), &command) != chosen.end();
  }

  void add(std::vector<std::string> parents, const std::string& key,
           std::vector<std::string> values) {
    CLI::ConfigItem item;
    item.parents = std::move(parents);
    item.name = key;
    item.inputs = std::move(values);
    items_.push_back(std::move(item));
  }

  // Options of one command, below its name.
  void read_section(const Section& top, const CLI::App& command, const YAML::Node& node) {
    if (node.IsNull()) return;
    if (!node.IsMap()) top.fail(command.get_name(), "is a command: give it a mapping of options");
    Section section(file_, command.get_name());
    for (const auto& entry : node) {
      const std::string key = section.key_of(entry.first);
      const bool global = has_option(app_, key);
      if (!global && !has_option(command, key)) {
        std::vector<std::string> known;
        collect_keys(command, known);
        collect_keys(app_, known);
        section.fail(key, "unknown option" + did_you_mean(closest(key, known)));
      }
      auto values = section.values_of(key, entry.second);
      if (!is_chosen(command)) continue;
      add(global ? std::vector<std::string>{} : std::vector{command.get_name()}, key,
          std::move(values));
    }
  }

  // A key at the top level: a global option, or one for every command that knows it.
  void read_shared(const Section& top, const std::string& key, const YAML::Node& node) {
    bool known = false;
    if (has_option(app_, key)) {
      known = true;
      add({}, key, top.values_of(key, node));
    }
    for (const CLI::App* command : app_.get_subcommands({})) {
      if (!has_option(*command, key)) continue;
      known = true;
      auto values = top.values_of(key, node);
      if (is_chosen(*command)) add({command->get_name()}, key, std::move(values));
    }
    if (known) return;
    std::vector<std::string> keys;
    collect_keys(app_, keys);
    for (const CLI::App* command : app_.get_subcommands({})) {
      keys.push_back(command->get_name());
      collect_keys(*command, keys);
    }
    top.fail(key, "unknown option" + did_you_mean(closest(key, keys)));
  }

  const CLI::App& app_;
  const std::string& file_;
  std::vector<CLI::ConfigItem> items_;
};

}  // namespace

std::vector<CLI::ConfigItem> ConfigFile::from_config(std::istream& input) const {
  file_ = app_.get_config_ptr()->as<std::string>();
  auto read = Reader(app_, file_).read(parse(input, file_));
  for (const CLI::ConfigItem& item : read) supplied_.push_back("--" + item.name);
  return read;
}

std::string ConfigFile::to_config(const CLI::App*, bool, bool, std::string) const { return {}; }

std::string ConfigFile::origin_of(std::string_view message) const {
  for (const std::string& key : supplied_) {
    if (message.find(key) != std::string_view::npos) return " (from " + file_ + ")";
  }
  return {};
}

}  // namespace kobolt::cli
